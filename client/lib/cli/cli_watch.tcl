# client/lib/cli/cli_watch.tcl
#
# josch watch: the nodes of a day on a terminal, the most urgent first, as they are now. It reads when something was announced,
# at most a few times a second, and as many rows as there is room for, however large the day is.
#
# Where stdout is no terminal it prints a line for each change.

namespace eval ::cli_watch {
    # date: "" for the newest; shown: the date on the screen; at: number of the chosen row; top: number of the first on the
    # screen
    variable date ""
    variable shown ""
    variable at 0
    variable top 0
    variable rows {}
    variable counts {}
    variable total 0
    variable attention 0
    # what is said in the last line, and the node that josch.why() is asked about
    variable told ""
    variable asked 0
    variable planned ""
    variable soon 0
    variable gap 200
    variable done 0
}

proc ::cli::verb_watch {words} {
    lassign [cli_nodes::sort_out $words] rest date
    if {$rest ne {}} {
        Misused "too many words: [lindex $rest 0]"
    }
    set ::cli_watch::attention [expr {[option attention] ne ""}]
    cli_wait::Connect
    if {$date ne ""} {
        set ::cli_watch::date [cli_nodes::date $date]
    }
    if {![cli_print::is_terminal stdout] || ![cli_print::is_terminal stdin] || [option json] ne ""} {
        set ::cli_db::callback ::cli_watch::Print
        while 1 {
            vwait ::cli_wait::news
            cli_wait::Reconnect
            set ::cli_db::callback ::cli_watch::Print
        }
    }
    set ::cli_db::callback ::cli_watch::Noticed
    cli_screen::open ::cli_watch::Key ::cli_watch::Plan
    try {
        cli_watch::Read
        vwait ::cli_watch::done
    } finally {
        cli_screen::close
    }
    if {$::cli_watch::done ne "q"} {
        fail {*}$::cli_watch::done
    }
}

# ---- a line for each change ----

proc ::cli_watch::Print {payloads} {
    variable date
    if {[cli_db::is_lost]} {
        incr ::cli_wait::news
        return
    }
    foreach payload $payloads {
        set change [db::Change $payload]
        if {$change eq "" || ($date ne "" && [dict get $change date] ne $date)
            || ([cli::value job] ne "" && [dict exists $change job] && [dict get $change job] ne [cli::value job])} continue
        if {[cli::option json] ne ""} {
            puts [string map {\n " "} $payload]
        } else {
            puts [Line $change]
        }
    }
    flush stdout
}

proc ::cli_watch::Line {change} {
    set day [dict get $change date]
    if {![dict exists $change to]} {
        return "$day  [if {[dict exists $change changed]} {dict get $change changed} else {string cat some}] nodes changed"
    }
    set id [dict get $change node]
    set name [cli_db::one "SELECT node_name FROM josch.nodes
        WHERE node_id = [db::quote $id]::bigint AND job_date = [db::quote $day]::date"]
    set by [if {[dict exists $change by] && [dict get $change by] ne ""} {string cat ", by " [dict get $change by]}]
    return [cli_print::line "$day  $name ($id): [dict get $change from] -> [dict get $change to]$by"]
}

# ---- the screen ----

# Something was announced: read soon, however much more there is.
proc ::cli_watch::Noticed {payloads} {
    variable planned
    variable gap
    variable soon
    if {[cli_db::is_lost]} {
        after idle ::cli_watch::Lost
    } elseif {!$soon} {
        set soon 1
        after cancel $planned
        set planned [after $gap ::cli_watch::Read]
    }
}

proc ::cli_watch::Lost {} {
    variable told
    set told "The connection was lost; trying again."
    Draw
    if {[catch {cli_wait::Reconnect} message]} {
        set ::cli_watch::done [list connection $message]
        return
    }
    set ::cli_db::callback ::cli_watch::Noticed
    set told ""
    Read
}

# The screen has another size, or the like.
proc ::cli_watch::Plan {} {
    Read
}

proc ::cli_watch::Where {} {
    variable shown
    variable attention
    set where "b.job_date = '$shown'"
    if {[cli::value job] ne ""} {
        append where " AND b.job_name = [db::quote [cli::value job]]"
    }
    return "$where[if {$attention} {string cat { AND s.attention}}]"
}

proc ::cli_watch::Read {} {
    variable planned
    after cancel $planned
    lassign {"" 0} planned ::cli_watch::soon
    if {[catch ReadAll message options]} {
        if {![cli_db::is_lost]} {
            set ::cli_watch::done [list refused $message]
        }
        return
    }
    Draw
}

proc ::cli_watch::ReadAll {} {
    variable date
    variable shown
    variable counts
    variable total
    variable rows
    variable at
    variable top
    variable told
    variable asked
    set shown [cli_nodes::date $date [cli::value job]]
    set counts [cli_db::rows "SELECT b.state, count(*) FROM josch.board b JOIN josch.states() s USING (state) WHERE [Where]
        GROUP BY b.state, s.urgency ORDER BY s.urgency"]
    set total [::tcl::mathop::+ {*}[lmap pair $counts {lindex $pair 1}]]
    set at [expr {max(0, min($at, $total - 1))}]
    set room [Room]
    set top [expr {max(0, min($top, $at, $total - $room))}]
    set top [expr {max($top, $at - $room + 1)}]
    set nodes [cli_db::dicts "SELECT b.node_id, b.job_name, b.node_name, b.state,
        date_trunc('second', b.state_since)::time AS since,
        b.message, b.progress, b.progress_text FROM josch.board b JOIN josch.states() s USING (state) WHERE [Where]
        ORDER BY s.urgency, b.job_name, b.node_id OFFSET $top LIMIT $room"]
    set rows [lmap node $nodes {
        list {*}[lmap name {node_id job_name node_name state since} {dict get $node $name}] [cli::Message $node]
    }]
    PlanProgress $nodes
    set id [lindex $rows [expr {$at - $top}] 0]
    if {$asked} {
        set told [if {$id ne ""} {cli_db::one "SELECT detail FROM josch.why($id, '$shown') LIMIT 1"}]
    }
}

# How far a run is, is not announced: while one that says so is on the screen, it is read every five seconds.
proc ::cli_watch::PlanProgress {nodes} {
    variable planned
    foreach node $nodes {
        if {[dict get $node progress] ne "" && [dict get $node state] in {running up}} {
            after cancel $planned
            set planned [after 5000 ::cli_watch::Read]
            return
        }
    }
}

# Lines for nodes: without the head, the headings, and the last line.
proc ::cli_watch::Room {} {
    return [expr {max(1, [lindex [cli_print::size] 0] - 3)}]
}

proc ::cli_watch::Draw {} {
    variable rows
    variable at
    variable top
    variable told
    variable total
    set widths [lmap column {0 1 2 3} least {4 3 4 9} most {12 20 30 10} {
        set width $least
        foreach row $rows {
            set width [expr {max($width, min($most, [string length [lindex $row $column]]))}]
        }
        set width
    }]
    set lines [list [list [Head] 7] [list [Columns {NODE JOB NAME STATE SINCE MESSAGE} $widths] 1]]
    set number $top
    foreach row $rows {
        set style [expr {$number == $at ? "7" : [cli_print::is_coloured] ? [cli_print::of_state [lindex $row 3]] : ""}]
        lappend lines [list [Columns $row $widths] $style]
        incr number
    }
    while {[llength $lines] < 2 + [Room]} {
        lappend lines {}
    }
    set hint "q quit  arrows move  n p day  a [expr {$::cli_watch::attention ? "all" : "what asks"}]  w why"
    lappend lines [list [expr {$told ne "" ? [cli_print::line $told] : $hint}] ""]
    cli_screen::draw $lines
}

proc ::cli_watch::Head {} {
    variable counts
    variable shown
    variable total
    set states [join [lmap pair $counts {string cat [lindex $pair 1] " " [lindex $pair 0]}] {, }]
    set job [if {[cli::value job] ne ""} {string cat "  " [cli::value job]}]
    return " josch  $shown$job  $total nodes[if {$states ne ""} {string cat ": " $states}]"
}

proc ::cli_watch::Columns {cells widths} {
    set text ""
    foreach cell [lrange $cells 0 3] width $widths {
        set cell [cli_print::line $cell]
        if {[string length $cell] > $width} {
            set cell [string range $cell 0 $width-2]\u2026
        }
        append text [format %-*s $width $cell] "  "
    }
    return "$text[format %-8s [lindex $cells 4]]  [cli_print::line [lindex $cells 5]]"
}

proc ::cli_watch::Key {key} {
    variable at
    variable total
    variable told
    variable asked
    variable attention
    set room [Room]
    switch -- $key {
        q {set ::cli_watch::done q; return}
        up - k {incr at -1}
        down - j {incr at}
        prior {incr at -$room}
        next - " " {incr at $room}
        home {set at 0}
        end {set at [expr {$total - 1}]}
        n - right {ByDay 1}
        p - left {ByDay -1}
        a {set attention [expr {!$attention}]}
        w - return {set asked [expr {!$asked}]; set told ""}
        default {return}
    }
    if {!$asked} {
        set told ""
    }
    Read
}

# To the next day that there is, or the one before; on the newest it follows again.
proc ::cli_watch::ByDay {by} {
    variable date
    variable shown
    lassign [expr {$by > 0 ? {> min} : {< max}}] than which
    set sql "SELECT to_char(${which}(job_date), 'YYYY-MM-DD') FROM josch.jobs WHERE job_date $than '$shown'"
    if {[catch {cli_db::one $sql} day]} {
        return
    }
    if {$day ne ""} {
        set date $day
    } elseif {$by > 0} {
        set date ""
    }
}
