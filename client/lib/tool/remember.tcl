# client/lib/tool/remember.tcl
#
# How a person has left a window's parts: sashes and the widths of columns, kept in the settings (conf.tcl) under a name.
#
# Constraint: what is kept may be of another screen or program: a sash is a part of its window's size, and what makes no sense
# is as good as nothing.

namespace eval ::remember {}

# Put the sash of a paned window where it was left, or where a script says (pixels from its beginning; without one where it is),
# as soon as it is seen and has its size.
proc ::remember::sash {panes name {otherwise ""}} {
    bind $panes <Map> [list after idle [list ::remember::PlaceSash $panes $name $otherwise]]
    bind $panes <ButtonRelease-1> +[list ::remember::KeepSash $panes $name]
}

proc ::remember::PlaceSash {panes name otherwise} {
    if {![winfo exists $panes] || ![winfo viewable $panes]} {
        return
    }
    bind $panes <Map> {}
    if {[Extent $panes] < 100} {
        after 50 [list ::remember::PlaceSash $panes $name $otherwise]
        return
    }
    set part [Kept sash $name]
    if {[string is double -strict $part] && $part > 0.05 && $part < 0.95} {
        $panes sashpos 0 [expr {round($part * [Extent $panes])}]
    } elseif {$otherwise ne ""} {
        $panes sashpos 0 [uplevel #0 $otherwise]
    }
}

proc ::remember::KeepSash {panes name} {
    Keep sash $name [format %.3f [expr {double([$panes sashpos 0]) / [Extent $panes]}]]
}

proc ::remember::Extent {panes} {
    return [expr {max(1, [$panes cget -orient] eq "horizontal" ? [winfo width $panes] : [winfo height $panes])}]
}

# Give the columns of a tree view the widths that they were left with, and keep what they are given by hand.
proc ::remember::columns {tree name} {
    set kept [Kept columns $name]
    foreach column [concat #0 [$tree cget -columns]] {
        if {![catch {dict get $kept $column} width] && [string is integer -strict $width] && $width > 20 && $width < 4000} {
            $tree column $column -width $width
        }
    }
    bind $tree <ButtonPress-1> +[list ::remember::GripColumns $tree %x %y]
    bind $tree <ButtonRelease-1> +[list ::remember::KeepColumns $tree $name]
}

# A press between two headings is the beginning of a drag.
proc ::remember::GripColumns {tree x y} {
    variable gripped
    set gripped($tree) [expr {[$tree identify region $x $y] eq "separator"}]
}

proc ::remember::KeepColumns {tree name} {
    variable gripped
    if {[info exists gripped($tree)] && $gripped($tree)} {
        Keep columns $name [concat {*}[lmap column [concat #0 [$tree cget -columns]] {
            list $column [$tree column $column -width]
        }]]
    }
    unset -nocomplain gripped($tree)
}

# Has somebody left it in a way of their own?
proc ::remember::is_kept {kind name} {
    return [expr {[Kept $kind $name] ne ""}]
}

# What is kept under a name of a kind, "" for nothing.
proc ::remember::Kept {kind name} {
    if {[catch {dict get [conf::get $kind] $name} value]} {
        return ""
    }
    return $value
}

proc ::remember::Keep {kind name value} {
    set all [conf::get $kind]
    if {[catch {dict set all $name $value}]} {
        set all [dict create $name $value]
    }
    conf::put $kind $all
}
