# client/lib/board/board.tcl
#
# The main window: the choosers of date and job, the search box, the views of the day, the details beside them, and what
# the views share: which nodes are selected, which pass the search and the states that are switched on, and the menu of
# the acts that are allowed.
#
# Constraint: the views do not know each other. They read what is shared here and in board_data.tcl, and are told by
# events on the main window: <<BoardSelection>>, <<BoardFilter>>, and those of board_data.tcl.

namespace eval ::board {
    variable frame .board
    variable selection {}
    # the same as a dict
    variable selected {}
    # states that are switched on ({} for all), and the words of the search box
    variable states {}
    variable search ""
    # label of "all jobs" in the chooser
    variable all_jobs "All jobs"
    # what the choosers show
    variable chosen
    array set chosen {date "" job "" search ""}

    variable keys {
        <Control-f>     {focus $frame.top.search}
        <F5>            {reload}
        <Control-Key-1> {ShowView 0}
        <Control-Key-2> {ShowView 1}
        <Control-Key-3> {ShowView 2}
        <Control-Key-4> {ShowView 3}
        <Alt-d>         {focus $frame.top.date}
        <Alt-Left>      {Step 1}
        <Alt-Right>     {Step -1}
    }
}

# Make the main window, or bring it up.
proc ::board::show {} {
    variable frame
    if {![winfo exists $frame]} {
        Build
    }
    wm deiconify .
    raise .
}

proc ::board::Build {} {
    variable frame
    variable keys
    ttk::frame $frame
    BuildTop
    ttk::label $frame.problem -style Problem.TLabel -padding [theme::px 10 6]
    bind $frame.problem <Configure> {%W configure -wraplength [expr {max(200, %w - [lindex [theme::px 24] 0])}]}
    ttk::panedwindow $frame.panes -orient horizontal
    ttk::notebook $frame.panes.views
    $frame.panes add $frame.panes.views -weight 3
    BuildViews
    details::create $frame.panes.details
    $frame.panes add $frame.panes.details -weight 1
    board_status::create $frame.status
    grid $frame.top -sticky ew -padx [theme::px 10] -pady [theme::px 8]
    grid $frame.problem -sticky ew
    grid $frame.panes -sticky nsew -padx [theme::px 10]
    grid $frame.status -sticky ew -padx [theme::px 10] -pady [theme::px 6]
    grid remove $frame.problem
    grid columnconfigure $frame 0 -weight 1
    grid rowconfigure $frame 2 -weight 1
    pack $frame -fill both -expand 1
    foreach {event script} $keys {
        bind . $event [namespace code $script]
    }
    foreach {event script} {<<BoardPulse>> ShowChoices <<BoardLoaded>> Loaded <<BoardScope>> Scoped <<DbState>> ShowLink
            <<DbRights>> Rights} {
        bind . $event +[namespace code $script]
    }
    remember::sash $frame.panes board [namespace code FirstSash]
    wm title . JOSCH
    wm minsize . 720 420
    PlaceWindow
    StartShown
    StartEmpty
    StartReading
}

# As large as it was left, or so that all of a common screen is used.
proc ::board::PlaceWindow {} {
    set geometry [screens::fitted [conf::get geometry]]
    wm geometry . [expr {$geometry eq "" ? [theme::geometry 1360 860] : $geometry}]
    bind . <Configure> +[namespace code {Moved %W}]
    bind . <<Screens>> +[namespace code StayOnScreen]
}

# There are other screens than was thought: a window that cannot be reached, or is larger than its screen, goes to where it can.
proc ::board::StayOnScreen {} {
    if {[wm state .] eq "normal" && ![screens::is_on [wm geometry .]]} {
        wm geometry . [screens::fitted [wm geometry .]]
    }
}

proc ::board::Moved {window} {
    if {$window eq "."} {
        after cancel [namespace code KeepGeometry]
        after 1500 [namespace code KeepGeometry]
    }
}

proc ::board::KeepGeometry {} {
    if {[wm state .] eq "normal"} {
        conf::put geometry [wm geometry .]
    }
}

# The details get what their text needs, the views the rest.
proc ::board::FirstSash {} {
    variable frame
    return [expr {[winfo width $frame.panes] - min([theme::chars 48], [winfo width $frame.panes] * 2 / 5)}]
}

proc ::board::BuildTop {} {
    variable frame
    variable chosen
    set top [ttk::frame $frame.top]
    ttk::label $top.date_label -text "Date" -underline 0
    ttk::button $top.before -text "\u2039" -width 2 -style Tool.TButton -command [namespace code {Step 1}]
    ttk::combobox $top.date -width 12 -state readonly -textvariable ::board::chosen(date) \
        -postcommand [namespace code ListDates]
    ttk::button $top.after -text "\u203a" -width 2 -style Tool.TButton -command [namespace code {Step -1}]
    ttk::label $top.job_label -text "Job"
    ttk::combobox $top.job -width 22 -state readonly -textvariable ::board::chosen(job) -postcommand [namespace code ListJobs]
    ttk::label $top.search_label -text "Search"
    ttk::entry $top.search -width 24 -textvariable ::board::chosen(search)
    ttk::frame $top.tools
    # where the line is too short, the search gives way
    pack $top.tools -side right
    # there when the day that is shown is not the newest
    ttk::button $top.newest -style Warn.Tool.TButton -command [namespace code Newest]
    raise $top.newest $top.after
    pack $top.date_label $top.before $top.date $top.after -side left -padx [theme::px 0 4]
    pack $top.job_label -side left -padx [theme::px 14 6]
    pack $top.job -side left
    pack $top.search_label -side left -padx [theme::px 18 6]
    pack $top.search -side left
    bind $top.date <<ComboboxSelected>> [namespace code {PickDate}]
    bind $top.job <<ComboboxSelected>> [namespace code {PickJob}]
    bind $top.search <KeyRelease> [namespace code {Searching}]
    bind $top.search <Escape> [namespace code {set chosen(search) ""; Searching}]
}

# A button at the right end of the top line, left of those that are there: other windows put their entrances there.
proc ::board::add_tool {name label command} {
    variable frame
    ttk::button $frame.top.tools.$name -text $label -style Tool.TButton -command $command
    pack $frame.top.tools.$name -side right -padx [theme::px 6 0]
    TabOrder $frame.top.tools
}

# The keyboard goes through a line from left to right, in whatever order it was made.
proc ::board::TabOrder {line} {
    set right {}
    foreach widget [pack slaves $line] {
        if {[dict get [pack info $widget] -side] eq "left"} {
            raise $widget
        } else {
            set right [linsert $right 0 $widget]
        }
    }
    foreach widget $right {
        raise $widget
    }
}

proc ::board::BuildViews {} {
    variable frame
    set views $frame.panes.views
    $views add [graph::create $views.graph] -text "Graph" -underline 0
    $views add [table::create $views.table] -text "Table" -underline 0
    if {[llength [info commands ::timeline::create]]} {
        ttk::frame $views.timeline
        $views add $views.timeline -text "Timeline" -underline 1
        timeline::create $views.timeline
    }
    if {[llength [info commands ::days::create]]} {
        ttk::frame $views.days
        $views add $views.days -text "Days" -underline 2
        days::create $views.days
    }
    ttk::notebook::enableTraversal $views
    if {[string is integer -strict [conf::get view]]} {
        ShowView [conf::get view]
    }
    bind $views <<NotebookTabChanged>> {conf::put view [%W index current]}
}

proc ::board::ShowView {number} {
    variable frame
    set views $frame.panes.views
    if {$number >= 0 && $number < [$views index end]} {
        $views select $number
        update idletasks
        EnterView [lindex [$views tabs] $number]
    }
}

# The keyboard goes along, to what is walked there: past the buttons above it.
proc ::board::EnterView {view} {
    for {set at [tk_focusNext $view]} {[string match $view.* $at]} {set at [tk_focusNext $at]} {
        if {[winfo class $at] in {Canvas Treeview}} {
            focus $at
            return
        }
    }
}

# ---- choosing the date and the job ----

proc ::board::ListDates {} {
    variable frame
    $frame.top.date configure -values [dates]
}

proc ::board::ListJobs {} {
    variable frame
    variable all_jobs
    $frame.top.job configure -values [concat [list $all_jobs] [dict keys [jobs]]]
}

proc ::board::PickDate {} {
    variable chosen
    variable frame
    $frame.top.date selection clear
    select_keys {}
    choose_date $chosen(date)
    pulse
}

proc ::board::PickJob {} {
    variable frame
    variable chosen
    $frame.top.job selection clear
    choose_job [expr {[$frame.top.job current] == 0 ? "" : $chosen(job)}]
}

# To the next older (1) or newer (-1) date.
proc ::board::Step {by} {
    variable chosen
    set all [dates]
    set at [lsearch -exact $all [date]]
    set new [lindex $all [expr {$at + $by}]]
    if {$at >= 0 && $new ne ""} {
        set chosen(date) $new
        PickDate
    }
}

proc ::board::Newest {} {
    variable chosen
    set chosen(date) [newest]
    PickDate
}

proc ::board::ShowChoices {} {
    variable chosen
    variable all_jobs
    variable frame
    set chosen(date) [date]
    set chosen(job) [expr {[job] eq "" ? $all_jobs : [job]}]
    set all [dates]
    set at [lsearch -exact $all [date]]
    $frame.top.before state [expr {$at >= 0 && $at + 1 < [llength $all] ? "!disabled" : "disabled"}]
    $frame.top.after state [expr {$at > 0 ? "!disabled" : "disabled"}]
    if {[date] in [list "" [newest]]} {
        pack forget $frame.top.newest
    } else {
        $frame.top.newest configure -text "Newest: [newest]"
        pack $frame.top.newest -side left -after $frame.top.after
    }
    ShowTitle
}

proc ::board::ShowTitle {} {
    set where [expr {[db::state] eq "online" ? "[db::info database]" : [db::state]}]
    wm title . [expr {[date] eq "" ? "JOSCH \u2013 $where" : "[date] \u2013 JOSCH \u2013 $where"}]
}

proc ::board::Loaded {} {
    variable selection
    if {[job] ne "" && [inside] eq {}} {
        choose_job ""
    }
    select_keys [lmap key $selection {
        if {[row $key] eq {}} continue
        set key
    }]
    ShowChoices
}

proc ::board::Scoped {} {
    select_keys {}
    ShowChoices
}

# ---- the filter ----

proc ::board::Searching {} {
    after cancel [namespace code TakeSearch]
    after 150 [namespace code TakeSearch]
}

proc ::board::TakeSearch {} {
    variable chosen
    variable search
    if {$search ne $chosen(search)} {
        set search $chosen(search)
        Filtered
    }
}

# Show these states alone; {} for all.
proc ::board::FilterStates {list} {
    variable states
    set states $list
    Filtered
}

# What is filtered out is selected no longer: an act is for what can be seen.
proc ::board::Filtered {} {
    event generate . <<BoardFilter>>
    select_keys [lmap key [selection] {
        if {[row $key] ne {} && ![passes [row $key]]} continue
        set key
    }]
}

proc ::board::toggle_state {state} {
    variable states
    set at [lsearch -exact $states $state]
    FilterStates [expr {$at < 0 ? [concat $states $state] : [lreplace $states $at $at]}]
}

proc ::board::states {} {
    variable states
    return $states
}

proc ::board::search {} {
    variable search
    return $search
}

# Does a row pass the search and the states? Who looks at it is found too.
proc ::board::passes {row} {
    variable states
    variable search
    if {$states eq {} && $search eq ""} {
        return 1
    }
    set key [list [dict get $row node_id] [dict get $row job_date]]
    return [board_filter::passes $row $states $search [claims::found [claim $key]]]
}

# What waits for people, in the table: of this date, or of the one on which something has waited longest.
proc ::board::show_attention {} {
    db::query {SELECT to_char(job_date, 'YYYY-MM-DD') FROM josch.attention GROUP BY job_date ORDER BY min(since)} \
        [namespace code TakeWaiting] board-waiting
}

proc ::board::TakeWaiting {result} {
    variable chosen
    set waiting [expr {[dict get $result ok] ? [concat {*}[dict get $result rows]] : {}}]
    if {$waiting ne {} && [date] ni $waiting} {
        set chosen(date) [lindex $waiting 0]
        PickDate
    }
    choose_job ""
    set chosen(search) ""
    TakeSearch
    FilterStates [states::names attention]
    ShowView 1
}

# ---- the selection ----

proc ::board::selection {} {
    variable selection
    return $selection
}

proc ::board::is_selected {key} {
    variable selected
    return [dict exists $selected $key]
}

proc ::board::select_keys {list} {
    variable selection
    variable selected
    if {$list eq $selection} {
        return
    }
    set selection $list
    set selected [dict create]
    foreach key $list {
        dict set selected $key 1
    }
    event generate . <<BoardSelection>>
}

proc ::board::toggle {key} {
    variable selection
    set at [lsearch -exact $selection $key]
    select_keys [expr {$at < 0 ? [concat $selection [list $key]] : [lreplace $selection $at $at]}]
}

# Show the board with one node selected, on its date and in a job that has it.
proc ::board::select {key} {
    show
    if {[lindex $key 1] ne [date]} {
        choose_date [lindex $key 1]
        pulse
    }
    if {[row $key] ne {} && ![is_inside $key]} {
        choose_job ""
    }
    select_keys [list $key]
}

# Selected nodes of the days that exist: key -> row.
proc ::board::selected_rows {} {
    variable selection
    set rows [dict create]
    foreach key $selection {
        set row [row $key]
        if {$row ne {} && [dict get $row exists]} {
            dict set rows $key $row
        }
    }
    return $rows
}

# ---- the menu of what may be done to the selected nodes ----

proc ::board::popup_menu {x y} {
    variable frame
    tip::hide
    destroy $frame.menu
    set menu [menu $frame.menu -tearoff 0]
    theme::dress $menu
    set rows [selected_rows]
    acts::fill_menu $menu $rows details::do
    if {[$menu index end] ne "none"} {
        $menu add separator
    }
    if {[dict size $rows] == 1} {
        set key [lindex [dict keys $rows] 0]
        $menu add command -label "Details" -command [list popup::open $key]
        $menu add command -label "Select What It Waits For" -command [namespace code [list SelectBeside ancestors $key]]
        $menu add command -label "Select What Waits for It" -command [namespace code [list SelectBeside descendants $key]]
    }
    $menu add command -label "Copy as Text" -command [namespace code [list CopyRows $rows]]
    tk_popup $menu $x $y
}

# Select a node and its ancestors or descendants, as far as they are on the board.
proc ::board::SelectBeside {which key} {
    lassign $key node_id day
    db::query "SELECT node_id, to_char(job_date, 'YYYY-MM-DD')
        FROM josch.${which}([db::quote $node_id]::bigint, [db::quote $day]::date)" \
        [namespace code [list TakeBeside $key]]
}

proc ::board::TakeBeside {key result} {
    if {![dict get $result ok]} {
        dialog::error . [dict get $result message] [acts::details_of $result]
        return
    }
    select_keys [concat [list $key] [lmap found [dict get $result rows] {
        if {[row $found] eq {}} continue
        list {*}$found
    }]]
}

proc ::board::CopyRows {rows} {
    set lines {}
    dict for {key row} $rows {
        lappend lines [join [lmap column {job_date job_name node_id node_type node_name state message} {
            string map {\t " " \n " "} [dict get $row $column]
        }] \t]
    }
    clipboard clear
    clipboard append [join $lines \n]
}

# ---- when something cannot be read ----

# The band below the choosers: text of a problem, "" when there is none.
proc ::board::ShowProblem {text} {
    variable frame
    $frame.problem configure -text $text
    if {$text eq ""} {
        grid remove $frame.problem
    } else {
        grid $frame.problem
    }
}

# What may be seen is something else now.
proc ::board::Rights {} {
    ShowLink
    reload
}

proc ::board::TellProblem {result} {
    if {[db::state] ne "online" || [db::why] ne ""} {
        # ShowLink says why, in other words; a query that was under way fails after that
        return
    }
    ShowProblem [join [list [dict get $result message] {*}[acts::details_of $result]] "\n"]
}

proc ::board::ClearProblem {} {
    ShowProblem ""
}

# Without a connection what is shown is as old as the last word from the server: say so.
proc ::board::ShowLink {} {
    ShowTitle
    switch -- [db::state] {
        online {
            # connected, but not to a database that this person may use with JOSCH
            ShowProblem [db::why]
        }
        connecting {
            if {[date] ne "" || [db::why] ne ""} {
                ShowProblem [string trim "No connection: what is shown may be old. Trying again.\n[db::why]"]
            }
        }
        default {
            ShowProblem "Not connected[expr {[db::why] eq "" ? "" : ": [db::why]"}]."
        }
    }
}
