# client/lib/graph/graph_draw.tcl
#
# The picture of a graph on a canvas: boxes, edges, labels; zoom and pan. Places are in "world" units, pixels at zoom 1;
# an item lies at world times zoom, and the view moves over that plane without bounds. At the natural zoom, that
# of the theme, the picture's text is about as large as the window's, on any screen.
#
# Constraint: redrawing is what costs. So boxes and edges are made once and scaled, while labels exist only for the boxes
# in sight, and only when they can be read; a grid over the world finds those boxes. Long loops are coroutines in the
# work queue, so that the window answers meanwhile.

namespace eval ::graph_draw {
    # world size of a cell of the grid
    variable cell {400 240}
    # parts of the natural zoom: the least and the most; from where on there is text; from where on edges have arrowheads
    # and curves
    variable zoom_limits {0.01 3.0}
    variable readable 0.46
    variable fine 0.4
    # boxes and edges that are drawn between two looks at the events: each look draws the canvas anew, so not too few
    variable slice 120
    variable serial 0
}

oo::class create ::graph_draw::Picture {
    variable canvas zoom at size paths edges grid shape node_of edge_item edges_of labels job style edge_style touched
    variable fonts marked is_fine whole natural

    # style: command prefix, node -> dict {kind fill outline width dash lines text}; kind is box, hexagon, octagon,
    # cylinder or circle, lines the texts from the top. edge_style: command prefix, edge -> dict {fill dash}.
    constructor {path style_command edge_style_command} {
        variable ::graph_draw::serial
        set canvas $path
        set style $style_command
        set edge_style $edge_style_command
        set fonts [list graph_name[incr ::graph_draw::serial] graph_note$::graph_draw::serial]
        font create [lindex $fonts 0] {*}[font actual TkDefaultFont]
        font create [lindex $fonts 1] {*}[font actual TkDefaultFont]
        array set grid {}
        set job ""
        set natural [theme::scale]
        my forget
    }

    destructor {
        my halt
        workq::cancel labels-[self]
        font delete {*}$fonts
    }

    # ---- what is shown ----

    method forget {} {
        my halt
        if {[winfo exists $canvas]} {
            $canvas delete all
        }
        lassign {} at size paths edges marked whole
        array unset grid
        foreach name {shape node_of edge_item edges_of labels} {
            array unset $name
            array set $name {}
        }
        set touched 0
        set is_fine 1
        my set_zoom $natural
    }

    method is_empty {} {
        return [expr {[array size shape] == 0}]
    }

    method zoom {} {
        return $zoom
    }

    # Whether it is large enough for text, at this zoom or another.
    method shows_text {{at_zoom ""}} {
        return [expr {($at_zoom eq "" ? $zoom : $at_zoom) >= $::graph_draw::readable * $natural}]
    }

    # Whether the person has moved the view since the picture was fitted.
    method is_touched {} {
        return $touched
    }

    # The box of a node on the screen, relative to the canvas; empty when there is none.
    method box_of {node} {
        if {![dict exists $at $node]} {
            return {}
        }
        set dx [$canvas canvasx 0]
        set dy [$canvas canvasy 0]
        lassign [my world_box $node] x0 y0 x1 y1
        return [list [expr {$x0 * $zoom - $dx}] [expr {$y0 * $zoom - $dy}] \
            [expr {$x1 * $zoom - $dx}] [expr {$y1 * $zoom - $dy}]]
    }

    # The node under the pointer, or "".
    method current {} {
        set item [lindex [$canvas find withtag current] 0]
        return [expr {$item ne "" && [info exists node_of($item)] ? $node_of($item) : ""}]
    }

    # Show a layout (see graph_layout::place) of a graph; when it has the nodes and edges that are shown, they are
    # moved. Comes back at once; done is called when all is drawn.
    method show {graph layout done} {
        my halt
        set job ::graph_draw::job[incr ::graph_draw::serial]
        coroutine $job [namespace which my] Draw $graph $layout $done
    }

    # Stop drawing.
    method halt {} {
        if {$job ne ""} {
            workq::cancel $job
            if {[llength [info commands $job]]} {
                rename $job {}
            }
            set job ""
        }
    }

    method Draw {graph layout done} {
        my Begin $graph $layout
        set count 0
        foreach {method list} [list PlaceNode [dict get $graph nodes] PlaceEdge $edges] {
            foreach one $list {
                my $method $one
                if {[incr count] % $::graph_draw::slice == 0} {
                    my Pause
                }
            }
            my plan_labels
        }
        set job ""
        set whole [list [dict get $graph nodes] $edges]
        {*}$done
    }

    # Let the window answer; go on when it is idle.
    method Pause {} {
        workq::add [list [info coroutine]] [info coroutine]
        yield
    }

    # Take over the new places, and set the view: fitted, or the node in the middle stays where it is.
    method Begin {graph layout} {
        set same [expr {![my is_empty] && $whole eq [list [dict get $graph nodes] [dict get $graph edges]]}]
        set anchor {}
        if {!$same} {
            set keep $job
            set job ""
            my forget
            set job $keep
        } elseif {$touched} {
            set anchor [my Middle]
        }
        my RemoveLabels [array names labels]
        set at [dict get $layout at]
        set size [dict get $graph size]
        set paths [dict get $layout paths]
        set edges [dict get $graph edges]
        my Pause
        my BuildGrid
        array unset edges_of
        foreach edge $edges {
            lappend edges_of([lindex $edge 0]) $edge
            lappend edges_of([lindex $edge 1]) $edge
        }
        my Pause
        if {$anchor eq {}} {
            my fit
        } else {
            lassign $anchor node x y
            lassign [dict get $at $node] wx wy
            my ScrollTo [expr {$wx * $zoom - $x}] [expr {$wy * $zoom - $y}]
        }
    }

    # The node nearest to the middle of the view, and where on the screen it is.
    method Middle {} {
        set middle_x [expr {[winfo width $canvas] / 2.0}]
        set middle_y [expr {[winfo height $canvas] / 2.0}]
        set wx [expr {([$canvas canvasx 0] + $middle_x) / $zoom}]
        set wy [expr {([$canvas canvasy 0] + $middle_y) / $zoom}]
        set best {}
        set least 1e30
        dict for {node place} $at {
            lassign $place x y
            set distance [expr {($x - $wx) ** 2 + ($y - $wy) ** 2}]
            if {$distance < $least} {
                set least $distance
                set best [list $node [expr {$middle_x + ($x - $wx) * $zoom}] [expr {$middle_y + ($y - $wy) * $zoom}]]
            }
        }
        return $best
    }

    # ---- items ----

    method world_box {node} {
        lassign [dict get $at $node] x y
        lassign [dict get $size $node] w h
        return [list [expr {$x - $w / 2.0}] [expr {$y - $h / 2.0}] [expr {$x + $w / 2.0}] [expr {$y + $h / 2.0}]]
    }

    method Scaled {coordinates} {
        return [lmap value $coordinates {expr {$value * $zoom}}]
    }

    method PlaceNode {node} {
        set look [{*}$style $node]
        set kind [dict get $look kind]
        set coordinates [my Scaled [graph_draw::outline $kind [my world_box $node]]]
        if {[info exists shape($node)]} {
            $canvas coords $shape($node) $coordinates
        } else {
            set type [expr {$kind eq "circle" ? "oval" : "polygon"}]
            set shape($node) [$canvas create $type $coordinates -tags shape]
            set node_of($shape($node)) $node
        }
        my Paint $node $look
    }

    method Paint {node look} {
        $canvas itemconfigure $shape($node) -fill [dict get $look fill] -outline [dict get $look outline] \
            -width [theme::px [dict get $look width]] -dash [dict get $look dash]
    }

    method PlaceEdge {edge} {
        lassign $edge parent child
        if {[dict exists $paths $edge]} {
            set curve [dict get $paths $edge]
        } else {
            set curve [graph_layout::curve [dict get $at $parent] [dict get $size $parent] \
                [dict get $at $child] [dict get $size $child]]
        }
        set coordinates [my Scaled $curve]
        if {[info exists edge_item($edge)]} {
            $canvas coords $edge_item($edge) $coordinates
            return
        }
        set look [{*}$edge_style $edge]
        set item [$canvas create line $coordinates -tags edge -state disabled -fill [dict get $look fill] \
            -dash [dict get $look dash] -width [theme::px 1] -arrowshape [lmap part {7 9 3} {theme::px $part}] -splinesteps 8 \
            {*}[expr {$is_fine ? {-smooth raw -arrow last} : {}}]]
        $canvas lower $item
        set edge_item($edge) $item
    }

    # Draw some nodes anew whose look has changed; those that are not drawn yet will be.
    method restyle {nodes} {
        foreach node $nodes {
            if {[info exists shape($node)]} {
                set look [{*}$style $node]
                my Paint $node $look
                if {[info exists labels($node)]} {
                    my Write $node $look
                }
            }
        }
    }

    # Show the edges of these nodes above the others.
    method mark_edges {nodes color} {
        foreach edge $marked {
            if {[info exists edge_item($edge)]} {
                $canvas itemconfigure $edge_item($edge) -fill [dict get [{*}$edge_style $edge] fill] -width [theme::px 1]
            }
        }
        set marked {}
        foreach node $nodes {
            if {[info exists edges_of($node)]} {
                lappend marked {*}$edges_of($node)
            }
        }
        foreach edge $marked {
            if {[info exists edge_item($edge)]} {
                $canvas itemconfigure $edge_item($edge) -fill $color -width [theme::px 2]
            }
        }
    }

    # ---- labels ----

    method BuildGrid {} {
        lassign $::graph_draw::cell width height
        array unset grid
        dict for {node place} $at {
            lassign $place x y
            lappend grid([expr {int(floor($x / $width))}],[expr {int(floor($y / $height))}]) $node
        }
    }

    # Nodes in sight and a little beyond.
    method InSight {} {
        lassign $::graph_draw::cell width height
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

    method plan_labels {} {
        workq::add [list [self] write_labels] labels-[self]
    }

    # One slice of work on the labels (called by the work queue): those out of sight go, some of those in sight come.
    method write_labels {} {
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
        lassign [dict get $at $node] x y
        set step 15.0
        # below the rim of a cylinder
        set down [expr {[dict get $look kind] eq "cylinder" ? 4 : 0}]
        set y [expr {$y + $down - $step * ([llength $lines] - 1) / 2.0}]
        set items {}
        foreach line $lines {
            lappend items [$canvas create text [expr {$x * $zoom}] [expr {$y * $zoom}] -text $line -state disabled \
                -fill [dict get $look text] -font [lindex $fonts [expr {$items ne {}}]] -tags label]
            set y [expr {$y + $step}]
        }
        set labels($node) $items
    }
}

# The -size of a font for a line (0: the name, 1: what stands below) at a zoom. It is worked out from the window's font, as
# the pixels that a font is asked for need not be those that it gets: Xft.dpi multiplies them.
proc ::graph_draw::letters {line zoom} {
    set asked [font actual TkDefaultFont -size]
    set pixels [expr {$asked < 0 ? -$asked : $asked * [tk scaling]}]
    return [expr {-max(1, round([lindex {0.9 0.8} $line] * $pixels * $zoom / [theme::scale]))}]
}

# The outline of a kind of box: points of a polygon; for a circle the corners of its square.
proc ::graph_draw::outline {kind box} {
    lassign $box x0 y0 x1 y1
    set height [expr {$y1 - $y0}]
    switch -- $kind {
        circle {
            return $box
        }
        hexagon {
            set cut [expr {$height * 0.35}]
            set middle [expr {($y0 + $y1) / 2.0}]
            return [list $x0 $middle [expr {$x0 + $cut}] $y0 [expr {$x1 - $cut}] $y0 $x1 $middle \
                [expr {$x1 - $cut}] $y1 [expr {$x0 + $cut}] $y1]
        }
        cylinder {
            return [Cylinder $x0 $y0 $x1 $y1]
        }
        octagon {
            set cut [expr {$height * 0.28}]
        }
        default {
            set cut 3
        }
    }
    return [list [expr {$x0 + $cut}] $y0 [expr {$x1 - $cut}] $y0 $x1 [expr {$y0 + $cut}] $x1 [expr {$y1 - $cut}] \
        [expr {$x1 - $cut}] $y1 [expr {$x0 + $cut}] $y1 $x0 [expr {$y1 - $cut}] $x0 [expr {$y0 + $cut}]]
}

# A cylinder in one line: the rim is drawn there and back.
proc ::graph_draw::Cylinder {x0 y0 x1 y1} {
    set rim [expr {($y1 - $y0) * 0.1}]
    set middle [expr {($x0 + $x1) / 2.0}]
    set half [expr {($x1 - $x0) / 2.0}]
    foreach {angle} {180 150 120 90 60 30 0} {
        set radians [expr {$angle * 3.14159265 / 180}]
        set x [expr {$middle + $half * cos($radians)}]
        set sine [expr {$rim * sin($radians)}]
        lappend over $x [expr {$y0 + $rim - $sine}]
        lappend under [list $x [expr {$y0 + $rim + $sine}]]
        lappend bottom [list $x [expr {$y1 - $rim + $sine}]]
    }
    return [concat $over {*}[lreverse $bottom] {*}$under {*}[lreverse $under]]
}
