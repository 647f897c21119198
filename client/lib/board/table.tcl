# client/lib/board/table.tcl
#
# The board's table of nodes: sorted by the heading that was clicked, filtered by the board's search and states, grouped by
# job where the board is, coloured by state. How wide the columns are, which there are, and the order are remembered.
#
# Constraint: rows of a tree view are cheap to reorder (one call) and dear to make. So each node's row is made once, in
# slices of the work queue, and sorting and filtering only say which are shown, in which order. What changes is written
# anew alone; the order is settled again a little later, once for many changes.

namespace eval ::table {
    variable frame ""
    variable tree ""
    # the state is the tree's own column, which can bear a picture; then column, heading, width in characters, anchor, stretch
    variable columns {
        node_name "Node" 19 w 1
        node_type "Type" 6 center 0
        node_id "Id" 8 e 0
        job_name "Job" 11 w 1
        message "Message" 11 w 1
        state_since "Since" 13 w 0
        took "Took" 10.5 e 0
        attempt "Runs" 6 e 0
    }
    variable sort_by order
    variable descending 0
    # keys that have a row; keys to make, keys to write anew
    variable made
    array set made {}
    variable to_make {}
    variable dirty {}
    # keys that are shown, in order
    variable shown {}
    # the same as a dict
    variable visible {}
    variable clock ""
    # the row below the pointer, whose alarms are told
    variable tipped ""
    # the rows are of another day: make them when somebody looks
    variable stale 0
    # column -> pixels, as the values were shortened for
    variable widths {}
    # columns whose texts are shortened
    variable long {node_name job_name message}

    variable bindings {
        <Map>               {Refresh}
        <Double-Button-1>   {Open %x %y}
        <Return>            {OpenSelected}
        <Button-3>          {Menu %x %y %X %Y}
        <Key-Menu>          {KeyMenu}
        <Shift-F10>         {KeyMenu}
        <Control-a>         {SelectAll; break}
        <Escape>            {board::select_keys {}}
        <Button-1>          {if {[Toggled %x %y]} break}
        <ButtonRelease-1>   {NoteWidths}
        <Configure>         {Widened}
        <Motion>            {ShowTip %x %y %X %Y}
        <Leave>             {set tipped ""}
    }
}

proc ::table::create {parent} {
    variable frame
    variable tree
    variable columns
    variable bindings
    set frame $parent
    ttk::frame $frame
    set names [lmap {name - - - -} $columns {set name}]
    set tree [ttk::treeview $frame.tree -columns $names -show {tree headings} -style Flat.Treeview -selectmode extended \
        -yscrollcommand [list $frame.y set] -xscrollcommand [list $frame.x set]]
    $tree heading #0 -text "State" -anchor w -command [list ::table::SortBy state]
    $tree column #0 -width [theme::chars 15.5] -minwidth 60 -stretch 0
    ttk::scrollbar $frame.y -orient vertical -command [list $tree yview]
    ttk::scrollbar $frame.x -orient horizontal -command [list $tree xview]
    foreach {name heading width anchor stretch} $columns {
        $tree heading $name -text $heading -anchor $anchor -command [list ::table::SortBy $name]
        $tree column $name -width [theme::chars $width] -minwidth 40 -anchor $anchor -stretch $stretch
    }
    Remember
    ttk::label $frame.none -style Quiet.TLabel -background [theme::color field]
    grid $tree $frame.y -sticky nsew
    grid $frame.x -sticky ew
    grid columnconfigure $frame 0 -weight 1
    grid rowconfigure $frame 0 -weight 1
    foreach {event script} $bindings {
        bind $tree $event +[namespace code $script]
    }
    tip::set_text $tree ""
    walk::tell $tree ::table::Selected
    foreach {event script} {<<BoardLoaded>> Renew <<BoardScope>> Arrange <<BoardShown>> Arrange <<BoardChanged>> Changed
            <<BoardFilter>> Arrange <<BoardSelection>> ShowSelection <<ThemeChanged>> Recolor} {
        bind . $event +[namespace code $script]
    }
    Recolor
    Tick
    return $frame
}

# A patch of the state's colour before its name; the whole row only where somebody is waited for, so that it stands out.
proc ::table::Recolor {} {
    variable tree
    foreach state [states::names attention] {
        $tree tag configure $state -background [theme::tint $state]
    }
    $tree tag configure group -background [theme::color shade] -foreground [theme::color text] -font [theme::font bold]
}

# How a row is shown: options for the tree's item.
proc ::table::Options {row} {
    set state [dict get $row state]
    return [list -image [theme::patch $state] -text "  [dict get [theme::state $state] symbol]  $state" -values [Values $row] \
        -tags [list $state]]
}

# ---- rows ----

# Another day: all rows anew, when they are in sight.
proc ::table::Renew {} {
    variable stale
    set stale 1
    Refresh
}

proc ::table::Refresh {} {
    variable tree
    variable stale
    if {$stale && [winfo viewable $tree]} {
        set stale 0
        Remake
    }
}

proc ::table::Remake {} {
    variable tree
    variable made
    variable to_make
    variable dirty
    variable shown
    variable visible
    $tree delete [concat [array names made] [lsearch -all -inline -exact -index 0 [$tree children {}] job]]
    array unset made
    set dirty {}
    set shown {}
    set visible {}
    set to_make [Day]
    workq::add ::table::MakeSome table-make
}

# Keys of all nodes of the day, whatever the job.
proc ::table::Day {} {
    return [dict keys [board::levels]]
}

proc ::table::MakeSome {} {
    variable tree
    variable made
    variable to_make
    foreach key [lrange $to_make 0 49] {
        set row [board::row $key]
        if {$row ne {} && ![info exists made($key)]} {
            $tree insert {} end -id $key {*}[Options $row]
            $tree detach [list $key]
            set made($key) 1
        }
    }
    set to_make [lrange $to_make 50 end]
    if {$to_make ne {}} {
        if {[array size made] == 50} {
            Arrange
        }
        return -code continue
    }
    Arrange
}

proc ::table::Values {row} {
    variable columns
    variable long
    return [lmap {column - - - -} $columns {
        switch -- $column {
            state_since {board_filter::clock_text [dict get $row $column] [dict get $row job_date]}
            took {board_filter::span_text [board_filter::took $row [board::moment]]}
            message {Fitted message [board::said [list [dict get $row node_id] [dict get $row job_date]]]}
            attempt {expr {[dict get $row attempt] eq "0" ? "" : [dict get $row attempt]}}
            default {
                if {$column in $long} {
                    Fitted $column [dict get $row $column]
                } else {
                    dict get $row $column
                }
            }
        }
    }]
}

# A text as long as its column has room.
proc ::table::Fitted {column text {font ui}} {
    variable widths
    return [expr {[dict exists $widths $column] ? [shorten::text $text [theme::font $font] [dict get $widths $column]] : $text}]
}

proc ::table::Changed {} {
    variable dirty
    foreach key [board::changed] {
        dict set dirty $key 1
    }
    workq::add ::table::WriteSome table-write
}

proc ::table::WriteSome {} {
    variable tree
    variable made
    variable dirty
    set some [lrange [dict keys $dirty] 0 39]
    foreach key $some {
        set row [board::row $key]
        if {[info exists made($key)] && $row ne {}} {
            $tree item $key {*}[Options $row]
        }
    }
    set dirty [dict remove $dirty {*}$some]
    if {[dict size $dirty]} {
        return -code continue
    }
    ArrangeSoon
}

# The time that what runs has taken by now, each second while somebody looks.
proc ::table::Tick {} {
    variable tree
    variable shown
    variable clock
    set clock [after 1000 ::table::Tick]
    if {![winfo viewable $tree]} {
        return
    }
    if {[board::past] ne ""} {
        return
    }
    set now [board::moment]
    foreach key [lrange $shown 0 499] {
        set row [board::row $key]
        if {$row ne {} && [dict get $row state] in {running up}} {
            $tree set $key took [board_filter::span_text [board_filter::took $row $now]]
        }
    }
}

# ---- order ----

proc ::table::SortBy {column} {
    variable sort_by
    variable descending
    if {$sort_by ne $column} {
        set sort_by $column
        set descending 0
    } elseif {!$descending} {
        set descending 1
    } else {
        # the third click: back to the day's order
        set sort_by order
        set descending 0
    }
    conf::put sort [expr {$sort_by eq "order" ? {} : [list $sort_by $descending]}]
    Arrange
}

# When the order depends on what changes, it is settled again at most four times a second.
proc ::table::ArrangeSoon {} {
    after cancel ::table::Arrange
    after 250 ::table::Arrange
}

# Say which rows are shown, in which order.
proc ::table::Arrange {} {
    variable tree
    variable made
    variable shown
    variable visible
    variable sort_by
    variable descending
    after cancel ::table::Arrange
    set rows [dict create]
    foreach key [board::shown] {
        set row [board::row $key]
        if {[info exists made($key)] && [board::passes $row]} {
            dict set rows $key $row
        }
    }
    set order [board_filter::sort $rows $sort_by $descending [board::moment]]
    set lines [Grouped $order $rows]
    if {$lines ne [$tree children {}]} {
        $tree children {} $lines
        set shown [lsearch -all -inline -not -exact -index 0 $lines job]
        set visible [dict create {*}[concat {*}[lmap key $shown {list $key 1}]]]
    }
    FitColumns
    SayNone
    ShowSort
    ShowSelection
}

# The rows by job, each below a heading that says how far the job is; those of a job that is collapsed are left out.
proc ::table::Grouped {order rows} {
    variable tree
    if {![board::is_grouped]} {
        return $order
    }
    set groups {}
    foreach key $order {
        dict lappend groups [dict get $rows $key job_name] $key
    }
    set counts [board::job_counts]
    set lines {}
    dict for {job keys} $groups {
        set item [list job $job]
        if {![$tree exists $item]} {
            $tree insert {} end -id $item -tags group
        }
        $tree item $item -text "[expr {[board::is_collapsed $job] ? "\u25b8" : "\u25be"}]  [llength $keys]" \
            -values [list $job "" "" "" [Fitted message [board::group_words [dict get $counts $job]] bold]]
        lappend lines $item
        if {![board::is_collapsed $job]} {
            lappend lines {*}$keys
        }
    }
    return $lines
}

# A click on a job's heading opens or collapses its group; whether it was one.
proc ::table::Toggled {x y} {
    variable tree
    set item [$tree identify item $x $y]
    if {[lindex $item 0] ne "job" || [$tree identify region $x $y] ni {tree cell}} {
        return 0
    }
    board::toggle_group [lindex $item 1]
    return 1
}

# ---- columns ----

# As they were left: widths, and the order of the rows.
proc ::table::Remember {} {
    variable tree
    variable columns
    variable sort_by
    variable descending
    remember::columns $tree table
    set order [conf::get sort]
    if {![catch {lindex $order 0} name] && ($name eq "state" || [dict exists [Names] $name])} {
        lassign $order sort_by descending
        set descending [expr {$descending eq "1"}]
    }
}

# The columns, as a dict: name -> heading.
proc ::table::Names {} {
    variable columns
    return [concat {*}[lmap {name heading - - -} $columns {list $name $heading}]]
}

# Until somebody drags a column: names get the room that their longest needs, as far as it goes, before jobs do, of which many
# rows have the same; messages have a quarter, and so much that they can be read, where they need it, and what is left.
proc ::table::FitColumns {} {
    variable tree
    variable columns
    variable shown
    if {[remember::is_kept columns table] || ![winfo viewable $tree]} {
        return
    }
    $tree column state_since -width [SinceWidth]
    set room [expr {[winfo width $tree] - [$tree column #0 -width]}]
    foreach {name - - - -} $columns {
        if {$name ni {node_name job_name message}} {
            incr room -[$tree column $name -width]
        }
    }
    # where there is too little for all, one scrolls to the last columns; these can be read
    set room [expr {max($room, [theme::chars 40])}]
    set need [Needs]
    set message [expr {int(min([dict get $need message], max([theme::chars 16], $room / 4)))}]
    set job [expr {int(min([dict get $need job_name], $room * 0.15))}]
    set node [expr {int(max([theme::chars 10], min([dict get $need node_name], $room - $job - $message)))}]
    set job [expr {int(min([dict get $need job_name], $room * 0.3, $room - $node - $message))}]
    foreach {name width} [list node_name $node job_name $job message [expr {max($message, $room - $node - $job - 4)}]] {
        $tree column $name -stretch [expr {$name eq "message"}] -width $width
    }
    NoteWidths
}

# Pixels for the times: with the date only where there is one of another day.
proc ::table::SinceWidth {} {
    variable shown
    set text "00:00:00"
    if {[board::date] ne ""} {
        set from [clock scan [board::date] -format %Y-%m-%d]
        foreach key $shown {
            set since [dict get [board::row $key] state_since]
            if {$since ne "" && ($since < $from || $since >= $from + 86400)} {
                set text "00 May 00:00"
                break
            }
        }
    }
    return [expr {[font measure [theme::font ui] $text] + [theme::px 22]}]
}

# Pixels that the longest text of each column that is shortened needs.
proc ::table::Needs {} {
    variable shown
    set most {node_name Name job_name Jobs message Messages}
    foreach key $shown {
        set row [board::row $key]
        set more [expr {"[dict get $row due_at][dict get $row not_before]" ne "" || [board::claim $key] ne {}
            || [board::alarms $key] ne {}}]
        set said [expr {$more ? [board::said $key] : [dict get $row message]}]
        foreach {name text} [list node_name [dict get $row node_name] job_name [dict get $row job_name] message $said] {
            if {[string length $text] > [string length [dict get $most $name]]} {
                dict set most $name $text
            }
        }
    }
    return [dict map {name longest} $most {
        expr {[font measure [theme::font ui] [string range $longest 0 59]] + [theme::chars 2.5]}
    }]
}

# The window is another size: texts that were shortened for the columns may have more room, or less.
proc ::table::Widened {} {
    foreach script {::table::FitColumns ::table::NoteWidths} {
        after cancel $script
        after 200 $script
    }
}

# Shorten anew when columns are wider or narrower than the texts were shortened for.
proc ::table::NoteWidths {} {
    variable tree
    variable widths
    variable long
    variable made
    variable dirty
    set now {}
    foreach name $long {
        dict set now $name [expr {[$tree column $name -width] - 10}]
    }
    if {$now eq $widths} {
        return
    }
    set widths $now
    foreach key [array names made] {
        dict set dirty $key 1
    }
    workq::add ::table::WriteSome table-write
}

# Why there is nothing in it.
proc ::table::SayNone {} {
    variable frame
    variable shown
    variable to_make
    variable tree
    if {[$tree children {}] ne {} || $to_make ne {} || [board::inside] eq {}} {
        place forget $frame.none
        return
    }
    set text [expr {[board::shown] eq {} ? "All is done, and hidden (View)." \
        : "No node fits the search and the states that are chosen."}]
    $frame.none configure -text $text -background [theme::color field]
    place $frame.none -relx 0.5 -rely 0.3 -anchor center
}

proc ::table::ShowSort {} {
    variable tree
    variable columns
    variable sort_by
    variable descending
    set titles {#0 State}
    foreach {name heading - - -} $columns {
        lappend titles $name $heading
    }
    sorting::mark $tree $titles [expr {$sort_by eq "state" ? "#0" : $sort_by}] $descending
}

proc ::table::shown {} {
    variable shown
    return $shown
}

# ---- selection and acts ----

# What is selected on the board, as far as it is shown here.
proc ::table::Wanted {} {
    variable visible
    return [lmap key [board::selection] {
        if {![dict exists $visible $key]} continue
        set key
    }]
}

proc ::table::Selected {} {
    variable tree
    set chosen [lsearch -all -inline -not -exact -index 0 [$tree selection] job]
    if {[lsort [Wanted]] ne [lsort $chosen]} {
        board::select_keys $chosen
    }
}

proc ::table::ShowSelection {} {
    variable tree
    set want [Wanted]
    if {[lsort $want] ne [lsort [$tree selection]]} {
        $tree selection set $want
        if {[llength $want]} {
            $tree see [lindex $want 0]
            $tree focus [lindex $want 0]
        }
    }
}

proc ::table::SelectAll {} {
    variable shown
    board::select_keys $shown
}

proc ::table::Open {x y} {
    variable tree
    set key [$tree identify item $x $y]
    if {[lindex $key 0] ni {"" job} && [$tree identify region $x $y] in {cell tree}} {
        popup::open $key
    }
}

# What the mark of an alarm means, beside the pointer.
proc ::table::ShowTip {x y root_x root_y} {
    variable tree
    variable tipped
    set key [$tree identify row $x $y]
    if {$key ne $tipped} {
        set tipped $key
        tip::plan $tree $root_x $root_y [lindex [board::alarms $key] 1]
    }
}

proc ::table::OpenSelected {} {
    set keys [board::selection]
    if {[llength $keys] == 1} {
        popup::open [lindex $keys 0]
    }
}

proc ::table::Menu {x y root_x root_y} {
    variable tree
    set key [$tree identify item $x $y]
    if {[lindex $key 0] in {"" job}} {
        return
    }
    if {$key ni [$tree selection]} {
        board::select_keys [list $key]
    }
    board::popup_menu $root_x $root_y
}

proc ::table::KeyMenu {} {
    variable tree
    set box [$tree bbox [$tree focus]]
    if {$box ne ""} {
        board::popup_menu [expr {[winfo rootx $tree] + 40}] [expr {[winfo rooty $tree] + [lindex $box 1] + [lindex $box 3]}]
    }
}
