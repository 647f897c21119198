# client/lib/tool/screens.tcl
#
# The screens that are there now, and windows that fit into one of them.
#
# To Tk all monitors are one wide screen, as large as they were when the program began. X can tell more: xrandr, where it is
# installed, lists the monitors, with their places, as they are at that moment. Without it one screen is all that is known.
# Neither tells of panels that a desktop keeps for itself: a window manager sees to those.
#
# Constraint: over a network xrandr may take a second, so nothing waits for it: it is asked beside, when somebody wants to know
# and the last word is old, and <<Screens>> says that there is another answer.

namespace eval ::screens {
    # {x y width height} of each monitor, the primary first; {} when it is not known
    variable known {}
    # when it was heard last, in ms; and the pipe that it is to come through
    variable heard 0
    variable pipe ""
    variable text ""
    # ms that an answer is good for, and that one may take
    variable fresh 5000
    variable patience 5000
}

# The monitors, as {x y width height}, the primary first.
proc ::screens::areas {} {
    variable known
    variable heard
    variable fresh
    if {[clock milliseconds] - $heard > $fresh} {
        ask
    }
    return [expr {$known ne {} ? $known : [list [list 0 0 [winfo screenwidth .] [winfo screenheight .]]]}]
}

# The monitor that has a point; the nearest when none has it.
proc ::screens::around {x y} {
    set best {}
    set least 1e30
    foreach area [areas] {
        lassign $area left top width height
        set distance [expr {hypot(max($left - $x, 0, $x - $left - $width), max($top - $y, 0, $y - $top - $height))}]
        if {$distance < $least} {
            set least $distance
            set best $area
        }
    }
    return $best
}

# The monitor at which the person is: that with the pointer.
proc ::screens::here {} {
    return [around {*}[winfo pointerxy .]]
}

# The box of a window on the screen, with the frame that the window manager has put around it.
proc ::screens::box {window} {
    if {![regexp {^\d+x\d+\+(-?\d+)\+(-?\d+)$} [wm geometry $window] all x y]} {
        lassign [list [winfo rootx $window] [winfo rooty $window]] x y
    }
    list $x $y [expr {[winfo width $window] + 2 * max(0, [winfo rootx $window] - $x)}] \
        [expr {[winfo height $window] + max(0, [winfo rooty $window] - $y)}]
}

# Ask X.
proc ::screens::ask {} {
    variable heard
    variable pipe
    variable text
    variable patience
    set heard [clock milliseconds]
    set command [list {*}[auto_execok xrandr] --listactivemonitors 2>@1]
    if {$pipe ne "" || [auto_execok xrandr] eq "" || [catch {open |$command r} channel]} {
        return
    }
    set pipe $channel
    set text ""
    fconfigure $pipe -blocking 0
    fileevent $pipe readable ::screens::Hear
    after $patience [list ::screens::Drop $pipe]
}

proc ::screens::Hear {} {
    variable pipe
    variable text
    append text [read $pipe]
    if {[eof $pipe]} {
        take $text
        Drop $pipe
    }
}

proc ::screens::Drop {channel} {
    variable pipe
    after cancel [list ::screens::Drop $channel]
    if {$channel eq $pipe} {
        set pipe ""
        catch {exec kill {*}[pid $channel]}
        catch {close $channel}
    }
}

# Take over what xrandr says.
proc ::screens::take {text} {
    variable known
    set new [parse $text]
    if {$new ne $known} {
        set known $new
        event generate . <<Screens>>
    }
}

# The monitors in the words of xrandr: " 0: +*DP-1 1920/510x1080/290+0+0  DP-1"; the star is at the primary.
proc ::screens::parse {text} {
    set areas {}
    set form {^\s*\d+:\s+([+*]*)\S*\s+(\d+)/\d+x(\d+)/\d+([+-]\d+)([+-]\d+)}
    foreach {line flags width height x y} [regexp -all -inline -line $form $text] {
        if {$width < 200 || $height < 200} continue
        set area [list [expr {int($x)}] [expr {int($y)}] $width $height]
        if {[string match *\\** $flags]} {
            set areas [linsert $areas 0 $area]
        } else {
            lappend areas $area
        }
    }
    return $areas
}

# A geometry that was remembered, moved and made smaller so that all of it is on one of the monitors: that of which it covers
# most, or the nearest. Empty when it is none.
proc ::screens::fitted {geometry {of_areas ""}} {
    if {![regexp {^(\d+)x(\d+)([+-])(-?\d+)([+-])(-?\d+)$} $geometry all width height side x edge y]} {
        return ""
    }
    set all [expr {$of_areas eq "" ? [areas] : $of_areas}]
    # from the right or the lower edge of all that there is
    if {$side eq "-"} {
        set x [expr {[tcl::mathfunc::max {*}[lmap area $all {expr {[lindex $area 0] + [lindex $area 2]}}]] - $width - $x}]
    }
    if {$edge eq "-"} {
        set y [expr {[tcl::mathfunc::max {*}[lmap area $all {expr {[lindex $area 1] + [lindex $area 3]}}]] - $height - $y}]
    }
    lassign [Home $all $x $y $width $height] left top wide high
    # the window manager's frame has some room too
    set width [expr {min($width, $wide)}]
    set height [expr {min($height, $high - 40)}]
    set x [expr {max($left, min($x, $left + $wide - $width))}]
    set y [expr {max($top, min($y, $top + $high - 40 - $height))}]
    return ${width}x$height+$x+$y
}

# The monitor that a window is on: that of which it covers most; the nearest to its middle when it is on none.
proc ::screens::Home {areas x y width height} {
    set best {}
    set most -1e30
    foreach area $areas {
        lassign $area left top wide high
        set across [expr {min($x + $width, $left + $wide) - max($x, $left)}]
        set down [expr {min($y + $height, $top + $high) - max($y, $top)}]
        # what is apart counts by how far it is
        set covers [expr {$across > 0 && $down > 0 ? double($across) * $down : min($across, 0) + min($down, 0)}]
        if {$covers > $most} {
            set most $covers
            set best $area
        }
    }
    return $best
}

# Can the window be reached where it is: the middle of its upper edge is on a monitor, and it is no larger than that?
proc ::screens::is_on {geometry {of_areas ""}} {
    if {![regexp {^(\d+)x(\d+)\+(-?\d+)\+(-?\d+)$} $geometry all width height x y]} {
        return 1
    }
    set middle [expr {$x + $width / 2}]
    foreach area [expr {$of_areas eq "" ? [areas] : $of_areas}] {
        lassign $area left top wide high
        if {$middle >= $left && $middle <= $left + $wide && $y >= $top - 4 && $y < $top + $high - 20} {
            return [expr {$width <= $wide && $height <= $high}]
        }
    }
    return 0
}
