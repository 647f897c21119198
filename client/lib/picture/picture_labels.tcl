# client/lib/picture/picture_labels.tcl
#
# The texts of a picture (picture.tcl).
#
# Constraint: texts are what costs most. They exist only for the boxes in sight, and only when they can be read; a grid over
# the world finds those boxes.

oo::define ::picture::Picture {
    method BuildGrid {} {
        lassign $::picture::cell width height
        array unset grid
        dict for {node place} $at {
            lassign $place x y
            lappend grid([expr {int(floor($x / $width))}],[expr {int(floor($y / $height))}]) $node
        }
    }

    # Nodes in sight and a little beyond.
    method InSight {} {
        lassign $::picture::cell width height
        set margin [expr {80 / $zoom}]
        set x0 [expr {int(floor(([$canvas canvasx 0] / $zoom - $margin) / $width))}]
        set x1 [expr {int(floor(([$canvas canvasx [winfo width $canvas]] / $zoom + $margin) / $width))}]
        set y0 [expr {int(floor(([$canvas canvasy 0] / $zoom - $margin) / $height))}]
        set y1 [expr {int(floor(([$canvas canvasy [winfo height $canvas]] / $zoom + $margin) / $height))}]
        set found {}
        for {set column $x0} {$column <= $x1} {incr column} {
            for {set row $y0} {$row <= $y1} {incr row} {
                if {[info exists grid($column,$row)]} {
                    lappend found {*}$grid($column,$row)
                }
            }
        }
        return $found
    }

    # The view is another one: what has to come into it, and where it is on the map.
    method plan_labels {} {
        workq::add [list [self] write_labels] labels-[self]
        $map look [expr {[$canvas canvasx 0] / $zoom}] [expr {[$canvas canvasy 0] / $zoom}] \
            [expr {[$canvas canvasx [winfo width $canvas]] / $zoom}] [expr {[$canvas canvasy [winfo height $canvas]] / $zoom}]
    }

    # One slice of work on the labels (called by the work queue): those out of sight go, some of those in sight come.
    method write_labels {} {
        my NameFrames
        set wanted [expr {[my shows_text] ? [my InSight] : {}}]
        set sight [dict create]
        set missing {}
        foreach node $wanted {
            dict set sight $node 1
            if {![info exists labels($node)] && [info exists shape($node)]} {
                lappend missing $node
            }
        }
        my RemoveLabels [lmap node [array names labels] {
            if {[dict exists $sight $node]} continue
            set node
        }]
        foreach node [lrange $missing 0 29] {
            my Write $node [{*}$style $node]
        }
        if {[llength $missing] > 30} {
            return -code continue
        }
    }

    method RemoveLabels {nodes} {
        foreach node $nodes {
            $canvas delete {*}$labels($node)
            unset labels($node)
        }
    }

    method Write {node look} {
        set lines [dict get $look lines]
        if {[info exists labels($node)] && [llength $labels($node)] == [llength $lines]} {
            foreach item $labels($node) line $lines {
                $canvas itemconfigure $item -text $line -fill [dict get $look text]
            }
            return
        }
        if {[info exists labels($node)]} {
            my RemoveLabels [list $node]
        }
        set fonts_of [expr {[dict exists $look fonts] ? [dict get $look fonts] : {0 1 1 1}}]
        lassign [dict get $at $node] x y
        # below the rim of a cylinder
        set down [expr {[dict get $look kind] eq "cylinder" ? 4 : 0}]
        set high 0.0
        foreach line $lines note $fonts_of {
            set high [expr {$high + ($line eq "" ? 0 : [lindex $::picture::steps [expr {$note eq "1"}]])}]
        }
        set y [expr {$y + $down - $high / 2.0}]
        set items {}
        foreach line $lines note [lrange $fonts_of 0 [llength $lines]-1] {
            set step [lindex $::picture::steps $note]
            lappend items [$canvas create text [expr {$x * $zoom}] [expr {($y + $step / 2.0) * $zoom}] -text $line \
                -fill [dict get $look text] -font [lindex $fonts $note] -tags label -state disabled]
            set y [expr {$y + $step}]
        }
        set labels($node) $items
    }

    # The names of the frames, in their upper left corners; made once, as they move and grow with all else.
    method NameFrames {} {
        foreach name [array names frame_item] {
            lassign $frame_item($name) frame text
            if {$text ne "" && ![my shows_text]} {
                $canvas delete $text
                set frame_item($name) [list $frame]
            } elseif {$text eq "" && [my shows_text]} {
                lassign [my Scaled [dict get $frames $name]] x0 y0 x1
                set text [$canvas create text [expr {$x0 + 8 * $zoom}] [expr {$y0 + 6 * $zoom}] -anchor nw \
                    -text [shorten::text $name [lindex $fonts 0] [expr {$x1 - $x0 - 16 * $zoom}]] -font [lindex $fonts 0] \
                    -fill [theme::color quiet] -state disabled -tags framename]
                set frame_item($name) [list $frame $text]
            }
        }
    }
}
