# client/lib/picture/picture_zoom.tcl
#
# The view of a picture (picture.tcl): zoom around a point, pan, fit, and bringing a node into sight.
#
# Constraint: thirty times a second. Panning only moves the view over what is drawn; zooming scales it all in one call, and
# what is too small to be seen (arrowheads, curves, text) is left out.

oo::define ::picture::Picture {
    # ---- the view ----

    method set_zoom {value} {
        set zoom $value
        foreach font $fonts line {0 1} {
            font configure $font -size [picture::letters $line $zoom]
        }
        set far [expr {![my shows_text]}]
        if {$far != $is_far} {
            set is_far $far
            my NearOrFar
        }
    }

    # What was near is far, or the other way round: what a single call can change at once, the rest in slices.
    method NearOrFar {} {
        if {$edges ne {} && [winfo exists $canvas]} {
            $canvas itemconfigure edge -fill [my EdgeFill [lindex $edges 0]] \
                {*}[expr {$is_far ? {-smooth 0 -arrow none} : {-smooth raw -arrow last}}]
            my mark_edges_again
        }
        if {$is_far} {
            $canvas itemconfigure shape -outline {} -width 0
        }
        my repaint
    }

    # Zoom by a factor; what is at a point of the screen stays there.
    method zoom_at {x y factor} {
        lassign $::picture::zoom_limits least most
        set new [expr {min($most * $natural, max($least * $natural, $zoom * $factor))}]
        if {$new == $zoom || [my is_empty]} {
            return
        }
        set touched 1
        set cx [expr {[$canvas canvasx $x] / $zoom}]
        set cy [expr {[$canvas canvasy $y] / $zoom}]
        my Rescale $new
        my ScrollTo [expr {$cx * $zoom - $x}] [expr {$cy * $zoom - $y}]
    }

    method Rescale {new} {
        set factor [expr {double($new) / $zoom}]
        if {[my shows_text] && ![my shows_text $new]} {
            my RemoveLabels [array names labels]
        }
        $canvas scale all 0 0 $factor $factor
        my set_zoom $new
        my keep_urgent
        my plan_labels
    }

    # Put a point of the plane into the upper left corner.
    method ScrollTo {x y} {
        $canvas xview scroll [expr {round($x - [$canvas canvasx 0])}] units
        $canvas yview scroll [expr {round($y - [$canvas canvasy 0])}] units
        my plan_labels
    }

    method pan_start {x y} {
        $canvas scan mark $x $y
    }

    method pan_to {x y} {
        set touched 1
        $canvas scan dragto $x $y 1
        my plan_labels
    }

    # The zoom at which all of a layout is in sight: the natural one at most.
    method fitting {layout} {
        lassign [dict get $layout box] x0 y0 x1 y1
        set width [expr {max(100, [winfo width $canvas] - [theme::px 44])}]
        set height [expr {max(100, [winfo height $canvas] - [theme::px 76])}]
        return [expr {min($natural, $width / max(1.0, $x1 - $x0), $height / max(1.0, $y1 - $y0))}]
    }

    # Width and height that a layout is to fill, at the natural zoom.
    method room {} {
        return [list [expr {max(400, [winfo width $canvas] - [theme::px 44]) / $natural}] \
            [expr {max(300, [winfo height $canvas] - [theme::px 76]) / $natural}]]
    }

    # All of the picture in sight, however small.
    method fit {} {
        set view whole
        my refit
    }

    # As much of the picture in sight as can be read with ease, the node that focus_on named in the middle.
    method open {} {
        set view readable
        my refit
    }

    method focus_on {node} {
        set focus $node
    }

    # As fit or open left it, in a window of another size too.
    method refit {} {
        if {$at eq {}} {
            return
        }
        set box [layout::bounds $at $size]
        set whole_zoom [my fitting [dict create box $box]]
        set least [lindex $::picture::zoom_limits 0]
        if {$view eq "readable"} {
            set least $::picture::comfortable
        }
        my Rescale [expr {max($least * $natural, $whole_zoom)}]
        lassign $box x0 y0 x1 y1
        lassign [expr {[dict exists $at $focus] ? [dict get $at $focus] : [list [expr {($x0 + $x1) / 2.0}] $y0]}] x y
        my ScrollTo [my Aimed $x0 $x1 $x [winfo width $canvas] 20] [my Aimed $y0 $y1 $y [winfo height $canvas] 52]
        set touched 0
    }

    # Where a view of that many pixels begins, so that a place is in the middle of it, but nothing beyond the picture is shown;
    # of a picture that is smaller, the middle. above: what is left free before it, for the buttons.
    method Aimed {first last place pixels above} {
        lassign [theme::px 20 $above] margin above
        set length [expr {($last - $first) * $zoom}]
        if {$length + $margin + $above <= $pixels} {
            return [expr {min(($first + $last) * $zoom / 2.0 - $pixels / 2.0, $first * $zoom - $above)}]
        }
        return [expr {min(max($place * $zoom - $pixels / 2.0, $first * $zoom - $above), $last * $zoom + $margin - $pixels)}]
    }

    # A place of the world into the middle.
    method center_at {x y} {
        set touched 1
        my ScrollTo [expr {$x * $zoom - [winfo width $canvas] / 2.0}] [expr {$y * $zoom - [winfo height $canvas] / 2.0}]
    }

    # Bring a node into the middle, unless it is in sight.
    method see {node} {
        set box [my box_of $node]
        if {$box eq {}} {
            return
        }
        lassign $box x0 y0 x1 y1
        if {$x0 >= 0 && $y0 >= 0 && $x1 <= [winfo width $canvas] && $y1 <= [winfo height $canvas]} {
            return
        }
        my center_at {*}[dict get $at $node]
    }

    # The node nearest to another in a direction (one of right and down is 1 or -1), "" for none; without another, the first.
    # Only those for which the command prefix accepts gives true.
    method next {node right down accepts} {
        if {![dict exists $at $node]} {
            foreach node [dict keys $at] {
                if {[{*}$accepts $node]} {
                    return $node
                }
            }
            return ""
        }
        lassign [dict get $at $node] x0 y0
        set best ""
        set least 1e30
        dict for {other place} $at {
            lassign $place x y
            set ahead [expr {($x - $x0) * $right + ($y - $y0) * $down}]
            set aside [expr {abs(($x - $x0) * $down) + abs(($y - $y0) * $right)}]
            # rather straight on than near
            if {$ahead > 1 && $ahead + 2 * $aside < $least && [{*}$accepts $other]} {
                set least [expr {$ahead + 2 * $aside}]
                set best $other
            }
        }
        return $best
    }
}
