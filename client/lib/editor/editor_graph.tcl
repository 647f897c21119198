# client/lib/editor/editor_graph.tcl
#
# The templates as a graph that can be edited: drag from one node to another to make a dependency, click on one to choose
# it, Delete to delete it. Layout and drawing are the board's (layout, picture).
#
# Constraint: the picture shows what will be, edits included, so its levels are worked out here and must stand a cycle:
# whether there may be one is for the database to say. Nodes stay where they are while dependencies come and go.

# A picture whose edges can be found under the pointer.
oo::class create ::editor_picture {
    superclass ::picture::Picture
    variable canvas edge_item

    # The edge at a point of the canvas' window, or {}.
    method edge_at {x y} {
        set x [$canvas canvasx $x]
        set y [$canvas canvasy $y]
        set near [theme::px 4]
        set items [$canvas find overlapping [expr {$x - $near}] [expr {$y - $near}] [expr {$x + $near}] [expr {$y + $near}]]
        foreach {edge item} [array get edge_item] {
            if {$item in $items} {
                return $edge
            }
        }
        return {}
    }

    # The middle of an edge on the canvas' plane, or {}.
    method middle {edge} {
        if {![info exists edge_item($edge)]} {
            return {}
        }
        set points [$canvas coords $edge_item($edge)]
        set n [expr {[llength $points] / 2}]
        if {$n == 4} {
            lassign $points x0 y0 x1 y1 x2 y2 x3 y3
            return [list [expr {($x0 + 3 * $x1 + 3 * $x2 + $x3) / 8.0}] [expr {($y0 + 3 * $y1 + 3 * $y2 + $y3) / 8.0}]]
        }
        return [lrange $points [expr {$n / 2 * 2}] [expr {$n / 2 * 2 + 1}]]
    }

    method paint_edges {} {
        foreach {edge item} [array get edge_item] {
            $canvas itemconfigure $item {*}[my EdgeOptions $edge]
        }
    }

    method EdgeOptions {edge} {
        variable edge_style
        set look [{*}$edge_style $edge]
        return [list -fill [dict get $look fill] -dash [dict get $look dash] -width [theme::px [dict get $look width]]]
    }
}

oo::class create ::editor_graph {
    variable frame canvas changes owner picture job nodes edges deps layout press picked sizes font

    constructor {path of_changes of_owner} {
        set frame $path
        set changes $of_changes
        set owner $of_owner
        lassign {"" {} {} {} {} {} {} {}} job nodes edges deps layout press picked sizes
        ttk::frame $frame
        ttk::frame $frame.tools
        foreach {name label script} {
            in "Zoom In" {my Key 1.25} out "Zoom Out" {my Key 0.8} fit "Whole Graph" {my Fit} arrange "Arrange" {my Arrange}
        } {
            ttk::button $frame.tools.$name -text $label -style Tool.TButton -takefocus 0 -command [namespace code $script]
            pack $frame.tools.$name -side left
        }
        ttk::label $frame.tools.note -style Quiet.TLabel -text "Drag from parent to child to make a dependency."
        pack $frame.tools.note -side right -padx [theme::px 8]
        set canvas [canvas $frame.c -highlightthickness 0 -borderwidth 0 -takefocus 1 -xscrollincrement 1 -yscrollincrement 1 \
            -background [theme::color panel]]
        pack $frame.tools -fill x
        pack $canvas -fill both -expand 1
        # a font that no widget has is opened anew for each text that is measured
        label $frame.measure
        set picture [editor_picture new $canvas [namespace code {my Look}] [namespace code {my EdgeLook}]]
        my Bind
    }

    destructor {
        $picture destroy
    }

    method Bind {} {
        foreach {event script} {
            <ButtonPress-1> {my Press %x %y} <B1-Motion> {my Drag %x %y} <ButtonRelease-1> {my Release %x %y}
            <Double-Button-1> {my Open} <Delete> {$owner delete} <Escape> {my Pick {}}
            <Button-4> {my Wheel %x %y 1.2} <Button-5> {my Wheel %x %y 0.8333}
            <MouseWheel> {my Wheel %x %y [expr {%D > 0 ? 1.2 : 0.8333}]}
            <plus> {my Key 1.25} <minus> {my Key 0.8} <f> {my Fit}
            <Configure> {my Resized} <Motion> {my Hover %x %y %X %Y} <Leave> {tip::hide}
        } {
            bind $canvas $event [namespace code $script]
        }
        bind $frame <<ThemeChanged>> [namespace code {my Recolor}]
    }

    method widget {} {
        return $frame
    }

    method Recolor {} {
        $canvas configure -background [theme::color panel]
        $picture restyle $nodes
        $picture paint_edges
    }

    # ---- what is shown ----

    # Show the graph of a job ("" for all) as it will be.
    method refresh {of_job} {
        set former $nodes
        set job $of_job
        my Collect
        if {$nodes eq {}} {
            $picture forget
            return
        }
        set graph [dict create nodes $nodes edges $edges size $sizes level [layout::levels $nodes [my SameDay]]]
        if {[lsort $nodes] ne [lsort $former] || $layout eq {}} {
            set layout [layout::place $graph {} [$picture room]]
        }
        dict set layout paths {}
        $picture show $graph $layout [list late::call [self] Drawn]
    }

    method Resized {} {
        if {![$picture is_touched]} {
            workq::add [list late::call [self] Refit] [self]-fit
        }
    }

    method Arrange {} {
        set layout {}
        my refresh $job
    }

    # Nodes of the job and their neighbours; edges between two different nodes; deps: edge -> rows, none where no row says it.
    method Collect {} {
        set shown {}
        foreach uid [$changes rows tpl_nodes] {
            set row [$changes get tpl_nodes $uid]
            if {$job eq "" || [dict get $row job_name] eq $job} {
                dict set shown [dict get $row node_id] 1
            }
        }
        set inside $shown
        set deps {}
        foreach uid [$changes rows tpl_node_deps] {
            set row [$changes get tpl_node_deps $uid]
            set parent [dict get $row p_node_id]
            set child [dict get $row c_node_id]
            if {[my Uid $parent] ne "" && [my Uid $child] ne ""
                    && ([dict exists $inside $parent] || [dict exists $inside $child])} {
                dict set shown $parent 1
                dict set shown $child 1
                dict lappend deps [list $parent $child] $uid
            }
        }
        foreach edge [my EndEdges [dict keys $inside]] {
            if {![dict exists $deps $edge]} {
                dict set deps $edge {}
            }
        }
        set font [list [font actual TkDefaultFont -family] [picture::letters 0 1]]
        $frame.measure configure -font $font
        set nodes [dict keys $shown]
        set edges [lmap edge [dict keys $deps] {
            if {[lindex $edge 0] eq [lindex $edge 1]} continue
            set edge
        }]
        set sizes {}
        foreach id $nodes {
            dict set sizes $id [my Size $id]
        }
    }

    # The end of a job (E) waits for all other nodes of it, and no row says so: an edge from each of the last ones.
    method EndEdges {ids} {
        set members {}
        foreach id $ids {
            set row [$changes get tpl_nodes [my Uid $id]]
            if {[$changes status tpl_nodes [my Uid $id]] ne "deleted"} {
                dict lappend members [list [dict get $row job_name] [expr {[dict get $row node_type] eq "E"}]] $id
            }
        }
        set result {}
        dict for {which ends} $members {
            lassign $which name is_end
            if {!$is_end || ![dict exists $members [list $name 0]]} continue
            set others [dict get $members [list $name 0]]
            foreach last [my LastOf $others] {
                lappend result {*}[lmap end $ends {list $last $end}]
            }
        }
        return $result
    }

    # Those of the nodes on which none of the others depends on the same day.
    method LastOf {ids} {
        set left [dict create {*}[concat {*}[lmap id $ids {list $id 1}]]]
        set among $left
        dict for {edge rows} $deps {
            lassign $edge parent child
            if {[dict exists $among $parent] && [dict exists $among $child] && [my IsSameDay $rows]} {
                dict unset left $parent
            }
        }
        return [dict keys $left]
    }

    method IsSameDay {rows} {
        foreach uid $rows {
            if {[my Lag $uid] == 0 && [$changes status tpl_node_deps $uid] ne "deleted"} {
                return 1
            }
        }
        return 0
    }

    # Edges within a day, and kept: they say what stands above what.
    method SameDay {} {
        return [lmap edge $edges {
            set rows [dict get $deps $edge]
            if {$rows ne {} && ![my IsSameDay $rows]} continue
            set edge
        }]
    }

    # Days by which the child is later than its parent.
    method Lag {uid} {
        set row [$changes get tpl_node_deps $uid]
        if {![string is integer -strict [dict get $row p_date]] || ![string is integer -strict [dict get $row c_date]]} {
            return 0
        }
        return [expr {[dict get $row c_date] - [dict get $row p_date]}]
    }

    # What a dependency waits for.
    method Condition {uid} {
        set row [$changes get tpl_node_deps $uid]
        set condition [if {[dict exists $row condition]} {dict get $row condition}]
        return [expr {$condition in {done failure well} ? $condition : "success"}]
    }

    # What a node waits for outside, in whole.
    method WaitWords {id} {
        set uid [my Uid $id]
        set row [expr {$uid eq "" ? {} : [$changes get tpl_nodes $uid]}]
        return [join [lmap {column words} {wait_file "Waits for file" wait_sql "Waits for query"} {
            if {![dict exists $row $column] || [editor::Shown [dict get $row $column]] eq ""} continue
            string cat $words " " [output_text::clip [dict get $row $column] 6 400]
        }] \n]
    }

    method Uid {id} {
        return [$changes node_uid $id]
    }

    method Size {id} {
        set high [expr {[my WaitsFor [$changes get tpl_nodes [my Uid $id]]] eq "" ? 42 : 56}]
        return [list [expr {max(110, min(260, [font measure $font [$changes title $id]] + 44))}] $high]
    }

    # What a node waits for outside, in a word each; empty for nothing.
    method WaitsFor {row} {
        foreach column {wait_file wait_sql} {
            set $column [if {[dict exists $row $column]} {editor::Shown [dict get $row $column]}]
        }
        return [join [lsearch -all -inline -not -exact [list $wait_file [expr {$wait_sql eq "" ? "" : "query"}]] ""] ", "]
    }

    method Look {id} {
        set uid [my Uid $id]
        if {$uid eq ""} {
            # gone since the picture was made; another is on its way
            return [dict create kind box fill [theme::color panel] text [theme::color quiet] outline [theme::color quiet] \
                width 1 dash {} lines [list $id]]
        }
        set row [$changes get tpl_nodes $uid]
        set status [$changes status tpl_nodes $uid]
        set type [dict get $row node_type]
        set inside [expr {$job eq "" || [dict get $row job_name] eq $job}]
        set kinds {S hexagon L cylinder N box R octagon E stack}
        set look [dict create kind [expr {[dict exists $kinds $type] ? [dict get $kinds $type] : "box"}] \
            fill [theme::color [expr {$inside ? "shade" : "panel"}]] text [theme::color [expr {$inside ? "text" : "quiet"}]] \
            outline [theme::color quiet] width 1 dash [expr {$inside ? {} : {4 3}}]]
        if {$type eq "R"} {
            dict set look outline [theme::color review_rim]
            dict set look width 2
        }
        if {$status ne "same"} {
            set like [theme::state [dict get {added succeeded changed ready deleted skipped} $status]]
            dict set look fill [theme::blend [dict get $like fill] [theme::color panel] 0.4]
        }
        if {$picked eq [list node $id]} {
            dict set look outline [theme::color accent]
            dict set look width 3
        }
        set note [expr {$status eq "deleted" ? " (deleted)" : ""}]
        dict set look lines [list [shorten::text [dict get $row node_name] $font 216] {*}[my WaitLine $row] \
            "\[$type\][my AnyNote $row] $id[my SelfNote $id]$note"]
        return $look
    }

    # A line for what a node waits for outside; none for nothing.
    method WaitLine {row} {
        set waits [my WaitsFor $row]
        return [expr {$waits eq "" ? {} : [list [shorten::text "$::picture::outside $waits" $font 216]]}]
    }

    method AnyNote {row} {
        return [expr {[dict exists $row join_rule] && [dict get $row join_rule] eq "any" ? " any" : ""}]
    }

    # Dependencies of a node on its own former days have no line in the picture.
    method SelfNote {id} {
        if {![dict exists $deps [list $id $id]]} {
            return ""
        }
        return " \u21ba [join [lmap uid [dict get $deps [list $id $id]] {expr {-[my Lag $uid]}}] {, }]"
    }

    method EdgeLook {edge} {
        if {![dict exists $deps $edge] || [dict get $deps $edge] eq {}} {
            return [dict create fill [theme::color edge] width 1 dash {}]
        }
        set statuses [lmap uid [dict get $deps $edge] {$changes status tpl_node_deps $uid}]
        set lags [lmap uid [dict get $deps $edge] {my Lag $uid}]
        set color [expr {"added" in $statuses || "changed" in $statuses ? "accent" : "edge"}]
        set look [dict create fill [theme::color $color] width [expr {$color eq "accent" ? 2 : 1}] \
            dash [expr {"0" in $lags ? {} : {5 3}}]]
        set conditions [lsort -unique [lmap uid [dict get $deps $edge] {my Condition $uid}]]
        if {"success" ni $conditions} {
            dict set look dash {1 4}
            if {$conditions eq "failure" && $color eq "edge"} {
                dict set look fill [theme::color danger]
            }
        }
        if {[lsort -unique $statuses] eq "deleted"} {
            dict set look fill [theme::color quiet]
            dict set look dash {2 4}
        }
        if {$picked eq [list edge $edge]} {
            dict set look fill [theme::color accent]
            dict set look width 3
        }
        return $look
    }

    method Drawn {} {
        $picture paint_edges
        my Lags
    }

    # The day of the parent beside each dependency on another day, and what is waited for, where it is not success.
    method Lags {} {
        $canvas delete lag
        foreach edge $edges {
            set texts [lmap uid [dict get $deps $edge] {
                set parts [concat [if {[my Lag $uid] != 0} {format %+d [expr {-[my Lag $uid]}]}] \
                    [if {[my Condition $uid] ne "success"} {my Condition $uid}]]
                if {$parts eq {}} continue
                join $parts " "
            }]
            set place [$picture middle $edge]
            if {$texts ne {} && $place ne {} && [$picture shows_text]} {
                lassign $place x y
                $canvas create text [expr {$x + 6}] $y -anchor w -text [join $texts {, }] -font [theme::font small] \
                    -fill [theme::color text] -tags lag -state disabled
            }
        }
    }

    # ---- choosing ----

    # The table and the rows that are chosen.
    method chosen {} {
        lassign $picked kind what
        switch -- $kind {
            node {return [list tpl_nodes [list [my Uid $what]]]}
            edge {return [list tpl_node_deps [dict get $deps $what]]}
        }
        return {tpl_nodes {}}
    }

    method Pick {what} {
        set former $picked
        set picked $what
        foreach one [list $former $what] {
            if {[lindex $one 0] eq "node" && [lindex $one 1] in $nodes} {
                $picture restyle [list [lindex $one 1]]
            }
        }
        $picture paint_edges
        if {$what ne {}} {
            $owner selected {*}[my chosen]
        }
    }

    method Open {} {
        if {[lindex $picked 0] eq "node"} {
            $owner edit_in_form node_name
        }
    }

    # ---- the mouse ----

    method Press {x y} {
        focus $canvas
        tip::hide
        set press [list [$picture current] $x $y 0]
        $picture pan_start $x $y
    }

    # From a node a line is drawn; elsewhere the plane is moved.
    method Drag {x y} {
        lassign $press from x0 y0 moved
        if {!$moved && abs($x - $x0) + abs($y - $y0) < 5} {
            return
        }
        lset press 3 1
        if {$from eq ""} {
            $picture pan_to $x $y
            return
        }
        $canvas delete rubber
        lassign [$picture box_of $from] bx0 by0 bx1 by1
        $canvas create line [$canvas canvasx [expr {($bx0 + $bx1) / 2}]] [$canvas canvasy [expr {($by0 + $by1) / 2}]] \
            [$canvas canvasx $x] [$canvas canvasy $y] -fill [theme::color accent] -width 2 -arrow last -dash {6 3} \
            -tags rubber -state disabled
    }

    method Release {x y} {
        lassign $press from x0 y0 moved
        $canvas delete rubber
        if {!$moved} {
            set edge [expr {$from eq "" ? [$picture edge_at $x $y] : ""}]
            if {$edge ne "" && (![dict exists $deps $edge] || [dict get $deps $edge] eq {})} {
                set edge ""
            }
            my Pick [expr {$from ne "" ? [list node $from] : $edge ne "" ? [list edge $edge] : {}}]
            return
        }
        set to [my NodeAt $x $y]
        if {$from ne "" && $to ne ""} {
            editor_edge::show [winfo toplevel $canvas] [$owner node_choices] [$changes node_name $from] \
                [$changes node_name $to] \
                [list $owner add_edge]
        }
    }

    method NodeAt {x y} {
        foreach id $nodes {
            lassign [$picture box_of $id] x0 y0 x1 y1
            if {$x >= $x0 && $x <= $x1 && $y >= $y0 && $y <= $y1} {
                return $id
            }
        }
        return ""
    }

    method Wheel {x y factor} {
        $picture zoom_at $x $y $factor
        my Lags
    }

    method Key {factor} {
        my Wheel [expr {[winfo width $canvas] / 2}] [expr {[winfo height $canvas] / 2}] $factor
    }

    method Fit {} {
        $picture fit
        my Lags
    }

    method Refit {} {
        $picture refit
        my Lags
    }

    method Hover {x y root_x root_y} {
        set node [$picture current]
        set edge [expr {$node eq "" ? [$picture edge_at $x $y] : ""}]
        if {$node ne "" && [set words [my WaitWords $node]] ne ""} {
            tip::show $canvas $root_x $root_y $words
            return
        }
        if {$edge eq "" || ![dict exists $deps $edge]} {
            tip::hide
            return
        }
        if {[dict get $deps $edge] eq {}} {
            tip::show $canvas $root_x $root_y "[$changes node_name [lindex $edge 1]] waits for all other nodes of its job."
            return
        }
        tip::show $canvas $root_x $root_y [join [lmap uid [dict get $deps $edge] {
            set row [$changes get tpl_node_deps $uid]
            editor_edge::sentence [$changes node_name [dict get $row p_node_id]] [dict get $row p_date] \
                [$changes node_name [dict get $row c_node_id]] [dict get $row c_date] [my Condition $uid]
        }] \n]
    }
}
