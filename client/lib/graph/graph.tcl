# client/lib/graph/graph.tcl
#
# The board's graph: which nodes and edges it has, and which layout is shown. The first picture
# stands on the levels of the database; Graphviz is asked at the same time, through a pipe, and its layout takes over when
# it has come.
#
# Constraint: a day may have thousands of nodes and they may change a thousand times a second. Everything here is put
# into the work queue, in pieces; nothing waits for Graphviz, and a picture that nobody sees is made when it is seen.

namespace eval ::graph {
    variable frame ""
    variable canvas ""
    variable picture ""
    # nodes, level, edges, size: see layout
    variable graph {}
    # the graph must be made anew when it is seen next
    variable stale 1
    # keys whose look has changed, as a dict
    variable changed {}
    # the coroutine that builds, the pipe to Graphviz, what it has written, and the timer that ends it
    variable builder ""
    variable pipe ""
    variable written ""
    variable limit ""
    # ms that Graphviz may take
    variable patience 90000
    # where the button went down, and whether the mouse has moved since
    variable press {0 0 0}
    # a layout that fits into the window at less than this part of the zoom of ours is not worth having: a day without
    # dependencies is one long row to Graphviz
    variable too_small 0.8
    variable serial 0
    variable name_font TkDefaultFont
    variable note_font TkDefaultFont
    variable note_width 100
    # key -> its name, the lines that it is written in, and their room
    variable named
    array set named {}
    # job -> state -> number, for the boxes of jobs that are collapsed; "" when it is to be counted anew
    variable group_counts ""

    variable bindings {
        <ButtonPress-1>         {Press %x %y}
        <B1-Motion>             {Drag %x %y}
        <ButtonRelease-1>       {Release %x %y 0}
        <Control-ButtonRelease-1> {Release %x %y 1}
        <Double-Button-1>       {OpenDetails}
        <ButtonPress-2>         {Press %x %y}
        <B2-Motion>             {Drag %x %y}
        <Button-3>              {Menu %X %Y}
        <Button-4>              {Wheel %x %y 1}
        <Button-5>              {Wheel %x %y -1}
        <MouseWheel>            {Wheel %x %y %D}
        <Configure>             {Resized}
        <Map>                   {Refresh}
        <plus>                  {Key 1.25}
        <equal>                 {Key 1.25}
        <KP_Add>                {Key 1.25}
        <minus>                 {Key 0.8}
        <KP_Subtract>           {Key 0.8}
        <Key-0>                 {Fit}
        <f>                     {Fit}
        <Left>                  {Nudge 60 0}
        <Right>                 {Nudge -60 0}
        <Up>                    {Nudge 0 60}
        <Down>                  {Nudge 0 -60}
        <Return>                {OpenDetails}
        <Shift-Left>            {Walk -1 0}
        <Shift-Right>           {Walk 1 0}
        <Shift-Up>              {Walk 0 -1}
        <Shift-Down>            {Walk 0 1}
        <Key-Menu>              {KeyMenu}
        <Shift-F10>             {KeyMenu}
        <Enter>                 {Hover %X %Y}
        <Motion>                {Hover %X %Y}
        <Leave>                 {HideTip}
    }
}

proc ::graph::create {parent} {
    variable frame
    variable canvas
    variable picture
    variable bindings
    set frame $parent
    ttk::frame $frame
    set canvas [canvas $frame.c -highlightthickness 0 -borderwidth 0 -takefocus 1 -xscrollincrement 1 \
        -yscrollincrement 1 -closeenough 1]
    ttk::frame $frame.tools
    foreach {name label command} {in "+" {Key 1.25} out "\u2212" {Key 0.8} fit "Fit" Fit} {
        ttk::button $frame.tools.$name -text $label -style Tool.TButton -takefocus 0 \
            -width [expr {max(2, [string length $label])}] \
            -command [namespace code $command]
        pack $frame.tools.$name -side left
    }
    ttk::label $frame.tools.note -style Small.TLabel
    pack $frame.tools.note -side left -padx [theme::px 8]
    pack $canvas -fill both -expand 1
    place $frame.tools -x 8 -y 8
    label $frame.measure
    label $frame.measure_note
    set picture [picture::Picture new $canvas [namespace code Look] [namespace code EdgeLook]]
    foreach {event script} $bindings {
        bind $canvas $event [namespace code $script]
    }
    foreach {event script} {<<BoardLoaded>> Outdated <<BoardScope>> Outdated <<BoardShown>> Outdated <<BoardChanged>> Changed
            <<BoardSelection>> Selected <<BoardFilter>> Repaint <<ThemeChanged>> Recolor} {
        bind . $event +[namespace code $script]
    }
    Recolor
    return $frame
}

# ---- what is shown ----

proc ::graph::Recolor {} {
    variable canvas
    $canvas configure -background [theme::color panel]
    Repaint
    MarkEdges
}

# The structure is another one: build the picture when somebody sees it.
proc ::graph::Outdated {} {
    variable stale
    set stale 1
    Refresh
}

proc ::graph::Refresh {} {
    variable canvas
    variable stale
    variable builder
    variable serial
    if {!$stale || ![winfo viewable $canvas]} {
        return
    }
    set stale 0
    Stop
    set builder ::graph::build[incr serial]
    coroutine $builder ::graph::Build
}

# End what is under way for a picture that is no longer wanted.
proc ::graph::Stop {} {
    variable builder
    variable picture
    variable pipe
    if {$builder ne ""} {
        workq::cancel $builder
        if {[llength [info commands $builder]]} {
            rename $builder {}
        }
        set builder ""
    }
    $picture halt
    if {$pipe ne ""} {
        DropPipe
    }
}

# In a coroutine: let the window answer, then go on.
proc ::graph::Pause {} {
    workq::add [list [info coroutine]] [info coroutine]
    yield
}

proc ::graph::Build {} {
    variable graph
    variable picture
    variable builder
    variable serial
    Pause
    set turn $serial
    set graph [Collect]
    if {[dict get $graph nodes] eq {}} {
        $picture forget
        Note [expr {![board::known] ? "" : [board::inside] eq {} ? "no nodes" : "all is done, and hidden"}]
        set builder ""
        return
    }
    Note ""
    $picture focus_on [Focus [dict get $graph nodes]]
    if {[board::is_grouped]} {
        $picture show $graph [layout_groups::place $graph ::graph::Pause [$picture room]] ::graph::Drawn
    } else {
        set layout [layout::place $graph ::graph::Pause [$picture room]]
        $picture show $graph $layout [list ::graph::AskGraphviz $graph $layout]
    }
    set builder ""
}

# What is looked at first: the most urgent that asks for a person, else what runs.
proc ::graph::Focus {nodes} {
    set best ""
    set urgency [llength [states::names]]
    foreach key $nodes {
        set row [board::row $key]
        if {$row eq {} || ![board::is_inside $key]} continue
        set state [dict get $row state]
        set at [lsearch -exact [states::names] $state]
        if {$at < $urgency && ([states::is $state attention] || $state eq "running")} {
            set urgency $at
            set best $key
        }
    }
    return $best
}

# The graph of what is shown and its neighbours; when nodes are grouped, of each job that is open the nodes as a group, and one
# box of each that is collapsed.
proc ::graph::Collect {} {
    set stands [StandsFor]
    set known [dict create {*}[concat {*}[lmap key [dict values $stands] {list $key 1}]]]
    set inside [dict keys $known]
    set edges {}
    set outside {}
    foreach edge [board::edges] {
        set ends [lmap key $edge {
            if {[board::is_hidden $key] && [board::is_inside $key]} continue
            expr {[dict exists $stands $key] ? [dict get $stands $key] : $key}
        }]
        if {[llength $ends] < 2 || [lindex $ends 0] eq [lindex $ends 1]} continue
        foreach node $ends {
            if {![dict exists $known $node]} {
                dict set known $node 1
                lappend outside $node
            }
        }
        dict set edges $ends 1
    }
    Pause
    set graph [dict create nodes [concat $outside $inside] edges [dict keys $edges] groups [Groups $inside]]
    Measure graph
    return $graph
}

# Node of the day that is shown -> what it is in the picture: itself, or its job.
proc ::graph::StandsFor {} {
    set stands {}
    foreach key [board::shown] {
        set job [dict get [board::row $key] job_name]
        dict set stands $key [expr {[board::is_grouped] && [board::is_collapsed $job] ? [list job $job] : $key}]
    }
    return $stands
}

# Job -> its nodes, when they are grouped.
proc ::graph::Groups {nodes} {
    set groups {}
    if {[board::is_grouped]} {
        foreach key $nodes {
            if {[lindex $key 0] ne "job"} {
                dict lappend groups [dict get [board::row $key] job_name] $key
            }
        }
    }
    return $groups
}

# Sizes and levels of the nodes of a graph. The levels are the database's, as far as it has one node for each.
proc ::graph::Measure {of_graph} {
    upvar 1 $of_graph graph
    set all [dict get $graph nodes]
    set level [board::levels]
    set known [dict create {*}[concat {*}[lmap node $all {
        if {![dict exists $level $node]} continue
        list $node [dict get $level $node]
    }]]]
    Pause
    set size {}
    set count 0
    MeasureFont
    foreach node $all {
        dict set size $node [Size $node]
        if {[incr count] % 200 == 0} {
            Pause
        }
    }
    dict set graph size $size
    dict set graph level [layout::complete_levels $known $all [dict get $graph edges]]
}

# ---- Graphviz ----

proc ::graph::AskGraphviz {graph ours} {
    variable pipe
    variable written
    variable limit
    variable patience
    if {[auto_execok dot] eq ""} {
        Note "Graphviz is not installed: nodes stand by level"
        return
    }
    set written ""
    if {[catch {open [concat | [auto_execok dot] {-Tplain 2>/dev/null}] r+} channel]} {
        Note "Graphviz does not start: nodes stand by level"
        return
    }
    set pipe $channel
    fconfigure $pipe -blocking 0 -encoding utf-8 -translation lf -buffersize 65536
    fileevent $pipe readable [list ::graph::FromGraphviz $graph $ours]
    set limit [after $patience ::graph::DropPipe]
    puts $pipe [layout::dot_text $graph]
    close $pipe write
}

proc ::graph::FromGraphviz {graph ours} {
    variable pipe
    variable written
    variable limit
    variable builder
    variable serial
    append written [read $pipe]
    if {![eof $pipe]} {
        return
    }
    after cancel $limit
    catch {close $pipe}
    set pipe ""
    set builder ::graph::build[incr serial]
    coroutine $builder ::graph::TakeOver $graph $ours
}

# In a coroutine: from the levels' layout to Graphviz'.
proc ::graph::TakeOver {graph ours} {
    variable picture
    variable written
    variable builder
    Pause
    try {
        set layout [layout::parse_plain $written $graph ::graph::Pause]
        if {[$picture fitting $layout] >= $::graph::too_small * [$picture fitting $ours]} {
            $picture show $graph $layout ::graph::Drawn
        }
    } on error message {
        Note "$message: nodes stand by level"
    }
    set written ""
    set builder ""
}

proc ::graph::Drawn {} {
    MarkEdges
}

proc ::graph::DropPipe {} {
    variable pipe
    variable limit
    after cancel $limit
    if {$pipe ne ""} {
        catch {exec kill {*}[pid $pipe]}
        catch {close $pipe}
        set pipe ""
    }
}

proc ::graph::Note {text} {
    variable frame
    $frame.tools.note configure -text $text
}

# ---- live ----

proc ::graph::Changed {} {
    Dirty [board::changed]
}

proc ::graph::Dirty {keys} {
    variable changed
    variable group_counts
    set group_counts ""
    foreach key $keys {
        dict set changed $key 1
        if {[board::is_grouped] && [board::is_inside $key]} {
            dict set changed [list job [dict get [board::row $key] job_name]] 1
        }
    }
    workq::add ::graph::PaintSome graph-paint
}

# One slice of repainting.
proc ::graph::PaintSome {} {
    variable changed
    variable picture
    set some [lrange [dict keys $changed] 0 39]
    $picture restyle $some
    set changed [dict remove $changed {*}$some]
    if {[dict size $changed]} {
        return -code continue
    }
}

proc ::graph::Repaint {} {
    variable graph
    if {$graph ne {}} {
        Dirty [dict get $graph nodes]
    }
}

proc ::graph::Selected {} {
    variable selected
    variable picture
    set now [board::selection]
    $picture restyle [concat $selected $now]
    set selected $now
    MarkEdges
    if {[llength $now] == 1} {
        $picture see [lindex $now 0]
    }
}
variable ::graph::selected {}

proc ::graph::MarkEdges {} {
    variable picture
    set keys [board::selection]
    $picture mark_edges [expr {[llength $keys] <= 20 ? $keys : {}}] [theme::color accent]
}
