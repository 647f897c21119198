# client/lib/picture/picture.tcl
#
# The picture of a graph on a canvas: boxes, edges, labels; zoom and pan. Places are in "world" units, pixels at zoom 1;
# an item lies at world times zoom, and the view moves over that plane without bounds. At the natural zoom, that
# of the theme, the picture's text is about as large as the window's, on any screen.
#
# Constraint: redrawing is what costs. So boxes and edges are made once and scaled; labels (picture_labels.tcl) exist only for
# those in sight. Long loops are coroutines in the work queue, so that the window answers meanwhile.
#
# From where text can no longer be read, the picture is seen from afar: boxes are their fill alone, without rims, which would
# be all that is left of them; and those that are urgent never get smaller than can be found.

namespace eval ::picture {
    # world size of a cell of the grid
    variable cell {400 240}
    # parts of the natural zoom: the least and the most; from where on there is text, rims, arrowheads and curves; and the
    # one below which a picture is not opened, as nobody likes to read it: then the map has the whole
    variable zoom_limits {0.01 3.0}
    variable readable 0.46
    variable comfortable 0.78
    # heights of a line: of a name, of a note
    variable steps {15.0 13.0}
    # the mark of what is waited for outside of the graph: a dashed arrow
    variable outside \u21e2
    # pixels that an urgent box has at least
    variable least 9
    # boxes and edges that are drawn between two looks at the events: each look draws the canvas anew, so not too few
    variable slice 120
    variable serial 0
}

oo::class create ::picture::Picture {
    variable canvas zoom at size paths edges grid shape node_of edge_item edges_of labels job style edge_style touched
    variable fonts marked mark_color is_far whole natural map urgent to_paint view focus frames frame_item

    # style: command prefix, node -> dict {kind fill far outline width dash lines fonts text urgent marked}; kind is box, stack,
    # hexagon, octagon, cylinder or circle; far is the fill from afar; lines are the texts from the top, fonts tells of each
    # whether it is a name (0) or a note (1); urgent boxes are never too small to be found, marked ones have their rim from afar
    # too.
    # edge_style: command prefix, edge -> dict {fill dash far}.
    constructor {path style_command edge_style_command} {
        variable ::picture::serial
        set canvas $path
        set style $style_command
        set edge_style $edge_style_command
        set fonts [list graph_name[incr ::picture::serial] graph_note$::picture::serial]
        font create [lindex $fonts 0] {*}[font actual TkDefaultFont]
        font create [lindex $fonts 1] {*}[font actual TkDefaultFont]
        array set grid {}
        lassign {} job to_paint focus mark_color
        set view readable
        set natural [theme::scale]
        set map [picture::Map new $canvas [self]]
        my forget
    }

    destructor {
        my halt
        workq::cancel labels-[self]
        workq::cancel paint-[self]
        $map destroy
        font delete {*}$fonts
    }

    # ---- what is shown ----

    method forget {} {
        my halt
        if {[winfo exists $canvas]} {
            $canvas delete all
        }
        lassign {} at size paths edges marked whole to_paint frames
        $map forget
        array unset grid
        foreach name {shape node_of edge_item edges_of labels urgent frame_item} {
            array unset $name
            array set $name {}
        }
        set touched 0
        set is_far 0
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
        return [expr {($at_zoom eq "" ? $zoom : $at_zoom) >= $::picture::readable * $natural}]
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

    # Show a layout (see layout::place) of a graph; when it has the nodes and edges that are shown, they are
    # moved. Comes back at once; done is called when all is drawn.
    method show {graph layout done} {
        my halt
        set job ::picture::job[incr ::picture::serial]
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
        foreach {method list} [list PlaceFrame [dict keys $frames] PlaceNode [dict get $graph nodes] PlaceEdge $edges] {
            foreach one $list {
                my $method $one
                if {[incr count] % $::picture::slice == 0} {
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
        set frames [expr {[dict exists $layout frames] ? [dict get $layout frames] : {}}]
        foreach name [array names frame_item] {
            if {![dict exists $frames $name]} {
                $canvas delete {*}$frame_item($name)
                unset frame_item($name)
            }
        }
        $map show [layout::bounds $at $size]
        my Pause
        my BuildGrid
        array unset edges_of
        foreach edge $edges {
            lappend edges_of([lindex $edge 0]) $edge
            lappend edges_of([lindex $edge 1]) $edge
        }
        my Pause
        if {$anchor eq {}} {
            my refit
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

    # A frame around a group of nodes, with its name; it lies below all else.
    method PlaceFrame {name} {
        set box [my Scaled [dict get $frames $name]]
        if {[info exists frame_item($name)]} {
            $canvas coords [lindex $frame_item($name) 0] $box
            $canvas delete [lindex $frame_item($name) 1]
            set frame_item($name) [lrange $frame_item($name) 0 0]
        } else {
            set item [$canvas create rectangle $box -width 1 -tags frame]
            $canvas lower $item
            set frame_item($name) [list $item]
        }
        $canvas itemconfigure [lindex $frame_item($name) 0] -fill [theme::color shade] -outline [theme::color line]
    }

    # The frame whose heading is at a point of the canvas' window, or "".
    method heading_at {x y} {
        set x [expr {[$canvas canvasx $x] / $zoom}]
        set y [expr {[$canvas canvasy $y] / $zoom}]
        dict for {name box} $frames {
            lassign $box x0 y0 x1
            if {$x >= $x0 && $x <= $x1 && $y >= $y0 && $y <= $y0 + $::layout_groups::heading} {
                return $name
            }
        }
        return ""
    }

    method PlaceNode {node} {
        set look [{*}$style $node]
        set kind [dict get $look kind]
        my Hurry $node $look
        set coordinates [my Corners $node $kind]
        if {[info exists shape($node)]} {
            $canvas coords $shape($node) $coordinates
        } else {
            set type [expr {$kind eq "circle" ? "oval" : "polygon"}]
            set shape($node) [$canvas create $type $coordinates -tags shape]
            set node_of($shape($node)) $node
        }
        my Paint $node $look
    }

    # Remember whether a node is urgent.
    method Hurry {node look} {
        if {[dict exists $look urgent] && [dict get $look urgent]} {
            set urgent($node) [dict get $look kind]
        } else {
            unset -nocomplain urgent($node)
        }
    }

    # The corners of a box on the canvas' plane. From afar one that is urgent keeps a size.
    method Corners {node kind} {
        if {!$is_far || ![info exists urgent($node)]} {
            return [my Scaled [picture::outline $kind [my world_box $node]]]
        }
        lassign [my Scaled [dict get $at $node]] x y
        lassign [my Scaled [dict get $size $node]] width height
        set least [theme::px $::picture::least]
        set width [expr {max($width, $least) / 2.0}]
        set height [expr {max($height, $least) / 2.0}]
        return [picture::outline [expr {$kind eq "circle" ? $kind : "box"}] \
            [list [expr {$x - $width}] [expr {$y - $height}] [expr {$x + $width}] [expr {$y + $height}]]]
    }

    method Paint {node look} {
        set far [expr {[dict exists $look far] ? [dict get $look far] : [dict get $look fill]}]
        $map paint $node [my world_box $node] $far [info exists urgent($node)]
        if {!$is_far} {
            $canvas itemconfigure $shape($node) -fill [dict get $look fill] -outline [dict get $look outline] \
                -width [theme::px [dict get $look width]] -dash [dict get $look dash]
        } elseif {[dict exists $look marked] && [dict get $look marked]} {
            $canvas itemconfigure $shape($node) -fill $far -outline [dict get $look outline] -width [theme::px 2] -dash {}
        } else {
            $canvas itemconfigure $shape($node) -fill $far -outline {} -width 0 -dash {}
        }
    }

    method PlaceEdge {edge} {
        lassign $edge parent child
        if {[dict exists $paths $edge]} {
            set curve [dict get $paths $edge]
        } else {
            set curve [layout::curve [dict get $at $parent] [dict get $size $parent] \
                [dict get $at $child] [dict get $size $child]]
        }
        set coordinates [my Scaled $curve]
        if {[info exists edge_item($edge)]} {
            $canvas coords $edge_item($edge) $coordinates
            $canvas itemconfigure $edge_item($edge) -dash [dict get [{*}$edge_style $edge] dash] \
                {*}[expr {$edge in $marked ? {} : [list -fill [my EdgeFill $edge]]}]
            return
        }
        set look [{*}$edge_style $edge]
        set item [$canvas create line $coordinates -tags edge -state disabled -fill [dict get $look fill] \
            -dash [dict get $look dash] -width [theme::px 1] -arrowshape [lmap part {7 9 3} {theme::px $part}] -splinesteps 8 \
            {*}[expr {$is_far ? {} : {-smooth raw -arrow last}}]]
        if {$is_far} {
            $canvas itemconfigure $item -fill [my EdgeFill $edge]
        }
        $canvas lower $item
        if {[array size frame_item]} {
            $canvas raise $item frame
        }
        set edge_item($edge) $item
    }

    # From afar edges are fainter than boxes.
    method EdgeFill {edge} {
        set look [{*}$edge_style $edge]
        return [dict get $look [expr {$is_far && [dict exists $look far] ? "far" : "fill"}]]
    }

    # Draw some nodes anew whose look has changed; those that are not drawn yet will be.
    method restyle {nodes} {
        foreach node $nodes {
            if {[info exists shape($node)]} {
                set look [{*}$style $node]
                set was [info exists urgent($node)]
                my Hurry $node $look
                if {$is_far && $was != [info exists urgent($node)]} {
                    $canvas coords $shape($node) [my Corners $node [dict get $look kind]]
                    $canvas raise $shape($node)
                }
                my Paint $node $look
                if {[info exists labels($node)]} {
                    my Write $node $look
                }
            }
        }
    }

    # Draw all anew in slices: near or far was crossed.
    method repaint {} {
        set to_paint [array names shape]
        workq::add [list [self] paint_some] paint-[self]
    }

    method paint_some {} {
        my restyle [lrange $to_paint 0 59]
        set to_paint [lrange $to_paint 60 end]
        if {$to_paint ne {}} {
            return -code continue
        }
        my keep_urgent
    }

    # From afar: give those that are urgent their least size, above all others.
    method keep_urgent {} {
        if {$is_far} {
            foreach {node kind} [array get urgent] {
                if {[info exists shape($node)]} {
                    $canvas coords $shape($node) [my Corners $node $kind]
                    $canvas raise $shape($node)
                }
            }
        }
    }

    method mark_edges_again {} {
        foreach edge $marked {
            $canvas itemconfigure $edge_item($edge) -fill $mark_color
        }
    }

    # Show the edges of these nodes above the others.
    method mark_edges {nodes color} {
        set mark_color $color
        foreach edge $marked {
            if {[info exists edge_item($edge)]} {
                $canvas itemconfigure $edge_item($edge) -fill [my EdgeFill $edge] -width [theme::px 1]
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
}

# The -size of a font for a line (0: the name, 1: what stands below) at a zoom. It is worked out from the window's font, as
# the pixels that a font is asked for need not be those that it gets: Xft.dpi multiplies them.
proc ::picture::letters {line zoom} {
    set asked [font actual TkDefaultFont -size]
    set pixels [expr {$asked < 0 ? -$asked : $asked * [tk scaling]}]
    return [expr {-max(1, round([lindex {0.9 0.8} $line] * $pixels * $zoom / [theme::scale]))}]
}

# The outline of a kind of box: points of a polygon; for a circle the corners of its square.
proc ::picture::outline {kind box} {
    lassign $box x0 y0 x1 y1
    set height [expr {$y1 - $y0}]
    switch -- $kind {
        circle {
            return $box
        }
        stack {
            # two boxes, the one behind the other
            set step 4
            return [list $x0 [expr {$y0 + $step}] [expr {$x0 + $step}] [expr {$y0 + $step}] [expr {$x0 + $step}] $y0 $x1 $y0 \
                $x1 [expr {$y1 - $step}] [expr {$x1 - $step}] [expr {$y1 - $step}] [expr {$x1 - $step}] [expr {$y0 + $step}] \
                [expr {$x0 + $step}] [expr {$y0 + $step}] [expr {$x1 - $step}] [expr {$y0 + $step}] \
                [expr {$x1 - $step}] $y1 $x0 $y1]
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
proc ::picture::Cylinder {x0 y0 x1 y1} {
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
