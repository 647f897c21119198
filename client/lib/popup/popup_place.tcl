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
    # how often a place was looked for to find one for several windows, and how often at most
    variable looks 0
    variable most_looks 500
}

# The place {x y} for a window of a size on a monitor beside other windows; empty when any place covers a zone.
proc ::popup_place::find {width height monitor others} {
    lassign [Lines $width $height $monitor $others] xs ys
    foreach part {0 1} {
        set taken [concat {*}[lmap other $others {expr {$part == 0 ? [list [lindex $other 0]] : [lindex $other 1]}}]]
        foreach x $xs {
            # only what is above or below this place can be in its way
            set spans [Spans $x $width $taken]
            foreach y $ys {
                if {[IsFree $y [expr {$y + $height}] $spans]} {
                    return [list $x $y]
                }
            }
        }
    }
    return {}
}

# From where to where boxes reach down that have something in common with a width at x.
proc ::popup_place::Spans {x width boxes} {
    set spans {}
    foreach box $boxes {
        lassign $box left top w h
        if {$left < $x + $width && $left + $w > $x && $w > 0 && $h > 0} {
            lappend spans [list $top [expr {$top + $h}]]
        }
    }
    return $spans
}

proc ::popup_place::IsFree {top bottom spans} {
    foreach span $spans {
        if {[lindex $span 0] < $bottom && [lindex $span 1] > $top} {
            return 0
        }
    }
    return 1
}

# A window in a box, of which parts are never covered: {x y width height} within it, from its right or lower edge where
# negative, and as wide as it is where the width is 0.
proc ::popup_place::window {box parts} {
    lassign $box left top wide high
    list $box [lmap part $parts {
        lassign $part x y width height
        incr x [expr {$left + ($x < 0 ? $wide : 0)}]
        incr y [expr {$top + ($y < 0 ? $high : 0)}]
        list $x $y [expr {$width ? $width : $wide}] $height
    }]
}

# ---- several at once ----

# Places for several windows at once, beside each other and beside others, which stay; empty when there are none. A size is
# {width heights parts}: the heights from the one that it would like to the least, and what of it is never covered. A place is
# {index x y number}: which of the sizes, where, and the number of the height that it has there. Each may stand over parts of
# those before it, so they are to be raised in that order.
#
# In whatever order the windows have come: each order is tried, the large ones first, until one has room for all; as large as
# they like, then all as small as they may be. Of many windows only some orders: nobody waits for thousands.
proc ::popup_place::tile {sizes monitor others} {
    variable looks 0
    set order [lmap pair [lsort -integer -decreasing -index 1 [lmap size $sizes i [Numbers $sizes] {
        list $i [expr {[lindex $size 0] * [lindex $size 1 0]}]
    }]] {lindex $pair 0}]
    set least [lmap size $sizes {lreplace $size 1 1 [lrange [lindex $size 1] end end]}]
    set places [Tile $order $sizes $monitor $others]
    if {$places eq {}} {
        set looks 0
        set places [dict map {i place} [Tile $order $least $monitor $others] {
            lreplace $place 2 2 [expr {[llength [lindex $sizes $i 1]] - 1}]
        }]
    }
    return [lmap i [lreverse [dict keys $places]] {list $i {*}[dict get $places $i]}]
}

proc ::popup_place::Numbers {list} {
    set i -1
    return [lmap item $list {incr i}]
}

# Place those that are left: a dict index -> place, the last one first.
proc ::popup_place::Tile {left sizes monitor others} {
    variable looks
    variable most_looks
    set tried {}
    foreach i $left {
        set size [lindex $sizes $i]
        if {$size in $tried || $looks > $most_looks} continue
        lappend tried $size
        lassign [FindSize $size $monitor $others] place window
        if {$place eq {}} continue
        set rest [lsearch -all -inline -not -exact -integer $left $i]
        set places [expr {$rest eq {} ? {} : [Tile $rest $sizes $monitor [linsert $others end $window]]}]
        if {$rest eq {} || $places ne {}} {
            return [dict set places $i $place]
        }
    }
    return {}
}

# The place of one of them, in the largest of its heights that has one, and the window that stands there then.
proc ::popup_place::FindSize {size monitor others} {
    variable looks
    lassign $size width heights parts
    foreach height $heights number [Numbers $heights] {
        incr looks
        set at [find $width $height $monitor $others]
        if {$at ne {}} {
            return [list [list {*}$at $number] [window [list {*}$at $width $height] $parts]]
        }
    }
    return {{} {}}
}

# ---- one that has to be somewhere ----

# The place where least of the zones is covered, for a window that has to be somewhere.
proc ::popup_place::least {width height monitor others} {
    set zones [concat {*}[lmap other $others {lindex $other 1}]]
    set best {}
    lassign [Lines $width $height $monitor $others] xs ys
    foreach x $xs {
        foreach y $ys {
            set covered [Covered [list $x $y $width $height] $zones]
            if {$best eq {} || $covered < $least} {
                set best [list $x $y]
                set least $covered
            }
        }
    }
    return $best
}

# All places that are worth a look, {xs ys}, the best first: at the edges of the monitor and of each window.
proc ::popup_place::Lines {width height monitor others} {
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
    return [list $xs $ys]
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
