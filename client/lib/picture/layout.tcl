# client/lib/picture/layout.tcl
#
# Where the nodes of a picture stand, and the talk with Graphviz about it.
#
# Pure: numbers and text in, numbers and text out; no window and no database. A first picture comes from the levels that the
# database knows: each level is a row (or several, when it is wide), ordered by the middle of the neighbours (Sugiyama,
# Tagawa, Toda 1981), and set as near to them as the gaps allow.
#
# A window must answer while thousands of nodes are placed, so the long loops call a "pause" command between steps: yield, in
# a coroutine.

namespace eval ::layout {
    # room between boxes of a row, and between rows
    variable gap_x 20
    variable gap_y 36
    # pixels to the inch, for Graphviz
    variable inch 72.0
    # more edges than these get straight pieces instead of curves from Graphviz, as those take it too long
    variable curves_below 1500
}

# A graph is a dict: nodes (ids, parents first), level (id -> number), edges (pairs of ids), size (id -> {w h}). room is the
# width and height that the picture is to be fitted into. Returns a dict: at (id -> {x y} of the middle), box {x0 y0 x1 y1},
# paths (edge -> curve; none here).
proc ::layout::place {graph {pause {}} {room {1000 700}}} {
    set order [OrderRows $graph $pause]
    set rows [BreakRows $order [RowLimit $order [dict get $graph size] {*}$room]]
    {*}$pause
    set at [PlaceRows $graph $rows $pause]
    return [dict create at $at box [bounds $at [dict get $graph size]] paths {}]
}

# Nodes that the database gave no level, as they are outside the job or the day, get one beside their neighbours: above the
# first child, or below the last parent.
proc ::layout::complete_levels {levels nodes edges} {
    foreach edge $edges {
        lassign $edge parent child
        if {![dict exists $levels $parent] && [dict exists $levels $child]} {
            set above [expr {[dict get $levels $child] - 1}]
            if {![info exists guess($parent)] || $above < $guess($parent)} {
                set guess($parent) $above
            }
        } elseif {![dict exists $levels $child] && [dict exists $levels $parent]} {
            set below [expr {[dict get $levels $parent] + 1}]
            if {![info exists guess($child)] || $below > $guess($child)} {
                set guess($child) $below
            }
        }
    }
    foreach node $nodes {
        if {![dict exists $levels $node]} {
            dict set levels $node [expr {[info exists guess($node)] ? $guess($node) : 0}]
        }
    }
    set least 0
    dict for {node level} $levels {
        set least [expr {min($least, $level)}]
    }
    if {$least < 0} {
        dict for {node level} $levels {
            dict set levels $node [expr {$level - $least}]
        }
    }
    return $levels
}

# node -> level: the longest way from a node without parents. Nodes on a cycle, and below one, come after all others.
proc ::layout::levels {nodes edges} {
    foreach node $nodes {
        set open($node) 0
        set level($node) 0
    }
    foreach edge $edges {
        lassign $edge parent child
        incr open($child)
        lappend children($parent) $child
    }
    set queue [lmap node $nodes {
        if {$open($node)} continue
        set node
    }]
    for {set i 0} {$i < [llength $queue]} {incr i} {
        set node [lindex $queue $i]
        foreach child [expr {[info exists children($node)] ? $children($node) : {}}] {
            set level($child) [expr {max($level($child), $level($node) + 1)}]
            if {[incr open($child) -1] == 0} {
                lappend queue $child
            }
        }
    }
    set last 0
    foreach node $queue {
        set last [expr {max($last, $level($node))}]
    }
    foreach node $nodes {
        if {$open($node) > 0} {
            set level($node) [incr last]
        }
    }
    return [array get level]
}

# ---- order within the rows ----

# The nodes of each level, from the top, in an order with few crossings.
proc ::layout::OrderRows {graph pause} {
    set level [dict get $graph level]
    set rows {}
    foreach node [dict get $graph nodes] {
        dict lappend rows [dict get $level $node] $node
    }
    set numbers [lsort -integer [dict keys $rows]]
    lassign [Neighbours [dict get $graph edges]] parents children
    set rank {}
    foreach number $numbers {
        set rank [RankRow $rank [dict get $rows $number]]
    }
    {*}$pause
    foreach {sequence beside} [list $numbers $parents [lreverse $numbers] $children $numbers $parents \
            [lreverse $numbers] $children $numbers $parents] {
        foreach number $sequence {
            set row [SortRow [dict get $rows $number] $rank $beside]
            dict set rows $number $row
            set rank [RankRow $rank $row]
        }
        {*}$pause
    }
    return [lmap number $numbers {dict get $rows $number}]
}

# Two dicts: node -> its parents, node -> its children.
proc ::layout::Neighbours {edges} {
    set parents {}
    set children {}
    foreach edge $edges {
        lassign $edge parent child
        dict lappend parents $child $parent
        dict lappend children $parent $child
    }
    return [list $parents $children]
}

# Where each node of a row stands, from 0 to 1, so that rows of any length compare.
proc ::layout::RankRow {rank row} {
    set n [llength $row]
    set i 0
    foreach node $row {
        dict set rank $node [expr {($i + 0.5) / $n}]
        incr i
    }
    return $rank
}

proc ::layout::SortRow {row rank beside} {
    set keyed [lmap node $row {
        list [expr {[dict exists $beside $node] ? [Mean [dict get $beside $node] $rank] : [dict get $rank $node]}] $node
    }]
    return [lmap pair [lsort -real -index 0 $keyed] {lindex $pair 1}]
}

proc ::layout::Mean {nodes values} {
    set sum 0.0
    foreach node $nodes {
        set sum [expr {$sum + [dict get $values $node]}]
    }
    return [expr {$sum / [llength $nodes]}]
}

# ---- places ----

# How many boxes a row may hold before it is broken: so many that the picture fills the room best.
proc ::layout::RowLimit {rows size width height} {
    variable gap_x
    variable gap_y
    lassign {0.0 0.0 0 0} wide high count longest
    foreach row $rows {
        set longest [expr {max($longest, [llength $row])}]
        foreach node $row {
            lassign [dict get $size $node] w h
            set wide [expr {$wide + $w + $gap_x}]
            set high [expr {$high + $h + $gap_y}]
            incr count
        }
    }
    lassign {1 0.0} best most
    for {set limit 1} {$limit <= $longest} {incr limit} {
        set lines 0
        foreach row $rows {
            incr lines [expr {([llength $row] + $limit - 1) / $limit}]
        }
        set zoom [expr {min($width / ($limit * $wide / $count), $height / ($lines * $high / $count))}]
        # as wide as possible where it does not matter
        if {$zoom >= $most || $zoom >= 1.0} {
            lassign [list $limit $zoom] best most
        }
    }
    return $best
}

proc ::layout::BreakRows {rows limit} {
    set broken {}
    foreach row $rows {
        set n [llength $row]
        set pieces [expr {($n + $limit - 1) / $limit}]
        set length [expr {($n + $pieces - 1) / $pieces}]
        for {set i 0} {$i < $n} {incr i $length} {
            lappend broken [lrange $row $i [expr {$i + $length - 1}]]
        }
    }
    return $broken
}

proc ::layout::PlaceRows {graph rows pause} {
    set size [dict get $graph size]
    lassign [Neighbours [dict get $graph edges]] parents children
    set x {}
    foreach row $rows {
        set x [dict merge $x [Spread $row $size {} {}]]
    }
    {*}$pause
    foreach {sequence beside} [list $rows $parents [lreverse $rows] $children $rows $parents] {
        foreach row $sequence {
            set x [dict merge $x [Spread $row $size $x $beside]]
            {*}$pause
        }
    }
    return [AddY $rows $size $x]
}

proc ::layout::AddY {rows size x} {
    variable gap_y
    set at {}
    set top 0.0
    foreach row $rows {
        set height 0.0
        foreach node $row {
            set height [expr {max($height, [lindex [dict get $size $node] 1])}]
        }
        foreach node $row {
            dict set at $node [list [dict get $x $node] [expr {$top + $height / 2.0}]]
        }
        set top [expr {$top + $height + $gap_y}]
    }
    return $at
}

# The x of each node of a row: as near as the gaps allow to the middle of its neighbours, in the order of the row. Least
# squares under an order: pool adjacent violators.
proc ::layout::Spread {row size x beside} {
    variable gap_x
    set offset 0.0
    set before 0.0
    set offsets {}
    set wanted {}
    foreach node $row {
        set half [expr {[lindex [dict get $size $node] 0] / 2.0}]
        if {$offsets ne {}} {
            set offset [expr {$offset + $before + $gap_x + $half}]
        }
        set before $half
        lappend offsets $offset
        if {[dict exists $beside $node]} {
            lappend wanted [expr {[Mean [dict get $beside $node] $x] - $offset}]
        } elseif {[dict exists $x $node]} {
            lappend wanted [expr {[dict get $x $node] - $offset}]
        } else {
            lappend wanted {}
        }
    }
    if {"" in $wanted} {
        set wanted [lrepeat [llength $row] [expr {-$offset / 2.0}]]
    }
    set placed {}
    foreach node $row offset $offsets value [pool $wanted] {
        dict set placed $node [expr {$offset + $value}]
    }
    return $placed
}

# The non-decreasing list that is nearest to a list.
proc ::layout::pool {values} {
    set means {}
    set counts {}
    foreach value $values {
        set count 1
        while {$means ne {} && [lindex $means end] > $value} {
            set former [lindex $counts end]
            set value [expr {([lindex $means end] * $former + $value * $count) / double($former + $count)}]
            incr count $former
            set means [lrange $means 0 end-1]
            set counts [lrange $counts 0 end-1]
        }
        lappend means $value
        lappend counts $count
    }
    set result {}
    foreach mean $means count $counts {
        lappend result {*}[lrepeat $count $mean]
    }
    return $result
}

proc ::layout::bounds {at size} {
    if {[dict size $at] == 0} {
        return {0 0 0 0}
    }
    lassign {1e9 1e9 -1e9 -1e9} x0 y0 x1 y1
    dict for {node place} $at {
        lassign $place x y
        lassign [dict get $size $node] w h
        set x0 [expr {min($x0, $x - $w / 2.0)}]
        set y0 [expr {min($y0, $y - $h / 2.0)}]
        set x1 [expr {max($x1, $x + $w / 2.0)}]
        set y1 [expr {max($y1, $y + $h / 2.0)}]
    }
    return [list $x0 $y0 $x1 $y1]
}

# The curve of an edge that Graphviz has not drawn: down from one box and into the other from above, as four points of a
# cubic curve.
proc ::layout::curve {from from_size to to_size} {
    lassign $from x1 y1
    lassign $to x2 y2
    set down [expr {$y2 >= $y1 ? 1 : -1}]
    set y1 [expr {$y1 + $down * [lindex $from_size 1] / 2.0}]
    set y2 [expr {$y2 - $down * [lindex $to_size 1] / 2.0}]
    set bend [expr {($y2 - $y1) / 2.0}]
    return [list $x1 $y1 $x1 [expr {$y1 + $bend}] $x2 [expr {$y2 - $bend}] $x2 $y2]
}

# ---- Graphviz ----

# The graph in Graphviz' language. Names are numbers here: no text of anybody's reaches it.
proc ::layout::dot_text {graph {pause {}}} {
    variable curves_below
    variable gap_x
    variable gap_y
    set edges [dict get $graph edges]
    set splines [expr {[llength $edges] < $curves_below ? "true" : "line"}]
    set out "digraph g {\ngraph \[nodesep=[Inches $gap_x], ranksep=[Inches $gap_y], splines=$splines,\
        nslimit=4, nslimit1=4, mclimit=0.6\];\nnode \[shape=box, fixedsize=true, label=\"\"\];\nedge \[arrowhead=none\];\n"
    set number -1
    foreach node [dict get $graph nodes] {
        set name($node) n[incr number]
        lassign [dict get $graph size $node] w h
        append out "$name($node) \[width=[Inches $w], height=[Inches $h]\];\n"
    }
    {*}$pause
    foreach edge $edges {
        lassign $edge parent child
        append out "$name($parent) -> $name($child);\n"
    }
    return "$out}\n"
}

proc ::layout::Inches {pixels} {
    variable inch
    return [format %.4f [expr {$pixels / $inch}]]
}

# What `dot -Tplain` has written, as place returns it. Raises an error when the text is not whole, so that half a picture is
# never shown.
proc ::layout::parse_plain {text graph {pause {}}} {
    variable inch
    set nodes [dict get $graph nodes]
    set at {}
    set paths {}
    set height 0
    set whole 0
    set count 0
    foreach line [split [string map [list "\\\n" ""] $text] \n] {
        switch -- [lindex [set words [split $line]] 0] {
            graph {set height [expr {[lindex $words 3] * $inch}]}
            node {
                lassign $words - name x y
                dict set at [lindex $nodes [string range $name 1 end]] \
                    [list [expr {$x * $inch}] [expr {$height - $y * $inch}]]
            }
            edge {
                lassign $words - tail head n
                set key [list [lindex $nodes [string range $tail 1 end]] [lindex $nodes [string range $head 1 end]]]
                dict set paths $key [PlainCurve [lrange $words 4 [expr {3 + 2 * $n}]] $height]
            }
            stop {set whole 1}
        }
        if {[incr count] % 200 == 0} {
            {*}$pause
        }
    }
    if {!$whole || [dict size $at] != [llength $nodes]} {
        error "Graphviz gave no whole picture"
    }
    return [dict create at $at box [bounds $at [dict get $graph size]] paths $paths]
}

proc ::layout::PlainCurve {numbers height} {
    variable inch
    set curve {}
    foreach {x y} $numbers {
        lappend curve [expr {$x * $inch}] [expr {$height - $y * $inch}]
    }
    return $curve
}
