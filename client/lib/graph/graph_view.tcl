# client/lib/graph/graph_view.tcl
#
# The view of a picture (graph_draw.tcl): zoom around a point, pan, fit, and bringing a node into sight.
#
# Constraint: thirty times a second. Panning only moves the view over what is drawn; zooming scales it all in one call, and
# what is too small to be seen (arrowheads, curves, text) is left out.

oo::define ::graph_draw::Picture {
    # ---- the view ----

    method set_zoom {value} {
        set zoom $value
        foreach font $fonts line {0 1} {
            font configure $font -size [graph_draw::letters $line $zoom]
        }
        set fine [expr {$zoom >= $::graph_draw::fine * $natural}]
        if {$fine != $is_fine} {
            set is_fine $fine
            $canvas itemconfigure edge {*}[expr {$fine ? {-smooth raw -arrow last} : {-smooth 0 -arrow none}}]
        }
    }

    # Zoom by a factor; what is at a point of the screen stays there.
    method zoom_at {x y factor} {
        lassign $::graph_draw::zoom_limits least most
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
        set width [expr {max(100, [winfo width $canvas] - 40)}]
        set height [expr {max(100, [winfo height $canvas] - 40)}]
        return [expr {min($natural, $width / max(1.0, $x1 - $x0), $height / max(1.0, $y1 - $y0))}]
    }

    # All of the picture in sight.
    method fit {} {
        if {$at eq {}} {
            return
        }
        set box [graph_layout::bounds $at $size]
        lassign $box x0 y0 x1 y1
        my Rescale [expr {max([lindex $::graph_draw::zoom_limits 0] * $natural, [my fitting [dict create box $box]])}]
        my ScrollTo [expr {($x0 + $x1) * $zoom / 2.0 - [winfo width $canvas] / 2.0}] \
            [expr {($y0 + $y1) * $zoom / 2.0 - [winfo height $canvas] / 2.0}]
        set touched 0
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
        set touched 1
        lassign [dict get $at $node] x y
        my ScrollTo [expr {$x * $zoom - [winfo width $canvas] / 2.0}] [expr {$y * $zoom - [winfo height $canvas] / 2.0}]
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
