# client/lib/popup/popup_place.tcl
#
# Where on a monitor a window goes: beside those that are there, from the right and from the top; where there is no room for
# that, over a part of one that nobody presses. Pure: numbers in, numbers out.
#
# Constraint: a window is {box zones}: its box, and the parts of it that are never covered, its title and its buttons. A box is
# {x y width height}. What must not be covered at all is its own zone.

namespace eval ::popup_place {
    # between two windows, and between a window and the edge
    variable gap 8
}

# The place {x y} for a window of a size on a monitor beside other windows; empty when any place covers a zone.
proc ::popup_place::find {width height monitor others} {
    set places [Places $width $height $monitor $others]
    foreach part {0 1} {
        set taken [concat {*}[lmap other $others {expr {$part == 0 ? [list [lindex $other 0]] : [lindex $other 1]}}]]
        foreach place $places {
            if {[Covered [list {*}$place $width $height] $taken] == 0} {
                return $place
            }
        }
    }
    return {}
}

# The place where least of the zones is covered, for a window that has to be somewhere.
proc ::popup_place::least {width height monitor others} {
    set zones [concat {*}[lmap other $others {lindex $other 1}]]
    set best {}
    foreach place [Places $width $height $monitor $others] {
        set covered [Covered [list {*}$place $width $height] $zones]
        if {$best eq {} || $covered < $least} {
            set best $place
            set least $covered
        }
    }
    return $best
}

# All places that are worth a look, the best first: at the edges of the monitor and of each window.
proc ::popup_place::Places {width height monitor others} {
    variable gap
    lassign $monitor left top across down
    set right [expr {$left + $across - $width - $gap}]
    set bottom [expr {$top + $down - $height - $gap}]
    set xs [list $right [expr {$left + $gap}]]
    set ys [list [expr {$top + $gap}] $bottom]
    foreach other $others {
        foreach box [concat [list [lindex $other 0]] [lindex $other 1]] {
            lassign $box x y w h
            lappend xs [expr {$x - $width - $gap}] [expr {$x + $w + $gap}] $x [expr {$x + $w - $width}]
            lappend ys [expr {$y - $height - $gap}] [expr {$y + $h + $gap}] $y
        }
    }
    set xs [lsort -integer -unique -decreasing [lmap x $xs {
        if {$x < $left || $x > max($left, $right + $gap)} continue
        set x
    }]]
    set ys [lsort -integer -unique [lmap y $ys {
        if {$y < $top || $y > max($top, $bottom + $gap)} continue
        set y
    }]]
    if {$xs eq {}} {set xs [list $left]}
    if {$ys eq {}} {set ys [list $top]}
    set places {}
    foreach x $xs {
        foreach y $ys {
            lappend places [list $x $y]
        }
    }
    return $places
}

# How much of some boxes a box covers.
proc ::popup_place::Covered {box boxes} {
    lassign $box x y width height
    set area 0
    foreach other $boxes {
        lassign $other ox oy w h
        set across [expr {min($x + $width, $ox + $w) - max($x, $ox)}]
        set down [expr {min($y + $height, $oy + $h) - max($y, $oy)}]
        if {$across > 0 && $down > 0} {
            incr area [expr {int($across) * int($down)}]
        }
    }
    return $area
}
