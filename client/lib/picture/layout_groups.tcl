# client/lib/picture/layout_groups.tcl
#
# Where the nodes of a picture stand when they are in groups: each group is laid out by itself (layout.tcl), has a frame with a
# heading around it, and is then one box among the others.
#
# Pure, like layout.tcl. Groups may well depend on each other in a circle, though nodes do not: their levels stand that.

namespace eval ::layout_groups {
    # room between a frame and its nodes, and for its heading
    variable padding 16
    variable heading 26
}

# As layout::place, for a graph that has "groups" too: name -> its nodes; what is in no group stands by itself. The layout has
# "frames": name -> {x0 y0 x1 y1}.
proc ::layout_groups::place {graph {pause {}} {room {1000 700}}} {
    variable padding
    variable heading
    set owner {}
    set inner {}
    set size [dict get $graph size]
    set outer_size {}
    dict for {name nodes} [dict get $graph groups] {
        set layout [layout::place [Part $graph $nodes] $pause $room]
        dict set inner $name $layout
        lassign [dict get $layout box] x0 y0 x1 y1
        dict set outer_size [list group $name] \
            [list [expr {$x1 - $x0 + 2 * $padding}] [expr {$y1 - $y0 + 2 * $padding + $heading}]]
        foreach node $nodes {
            dict set owner $node [list group $name]
        }
    }
    foreach node [dict get $graph nodes] {
        if {![dict exists $owner $node]} {
            dict set owner $node $node
            dict set outer_size $node [dict get $size $node]
        }
    }
    {*}$pause
    set outer [layout::place [Whole $graph $owner $outer_size] $pause $room]
    return [Together $graph $inner $outer $outer_size]
}

# The part of a graph that some nodes are.
proc ::layout_groups::Part {graph nodes} {
    set known [dict create {*}[concat {*}[lmap node $nodes {list $node 1}]]]
    set edges [lmap edge [dict get $graph edges] {
        if {![dict exists $known [lindex $edge 0]] || ![dict exists $known [lindex $edge 1]]} continue
        set edge
    }]
    return [dict create nodes $nodes edges $edges level [layout::levels $nodes $edges] size [dict get $graph size]]
}

# The graph of the groups.
proc ::layout_groups::Whole {graph owner size} {
    set edges {}
    foreach edge [dict get $graph edges] {
        lassign $edge parent child
        set ends [list [dict get $owner $parent] [dict get $owner $child]]
        if {[lindex $ends 0] ne [lindex $ends 1]} {
            dict set edges $ends 1
        }
    }
    # in the order in which they come
    set nodes [dict keys [dict create {*}[concat {*}[lmap node [dict values $owner] {list $node 1}]]]]
    return [dict create nodes $nodes edges [dict keys $edges] level [layout::levels $nodes [dict keys $edges]] size $size]
}

# The places of all nodes, and the frames.
proc ::layout_groups::Together {graph inner outer outer_size} {
    variable padding
    variable heading
    set at {}
    set frames {}
    dict for {node place} [dict get $outer at] {
        lassign $node kind name
        if {$kind ne "group"} {
            dict set at $node $place
            continue
        }
        lassign $place x y
        lassign [dict get $outer_size $node] width height
        lassign [list [expr {$x - $width / 2.0}] [expr {$y - $height / 2.0}]] left top
        dict set frames $name [list $left $top [expr {$left + $width}] [expr {$top + $height}]]
        lassign [dict get $inner $name box] x0 y0
        dict for {one spot} [dict get $inner $name at] {
            dict set at $one [list [expr {[lindex $spot 0] - $x0 + $left + $padding}] \
                [expr {[lindex $spot 1] - $y0 + $top + $padding + $heading}]]
        }
    }
    return [dict create at $at box [dict get $outer box] paths {} frames $frames]
}
