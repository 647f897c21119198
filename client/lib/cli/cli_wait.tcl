# client/lib/cli/cli_wait.tcl
#
# josch wait: until a node or a job of a day has ended. It listens before it looks, and looks whenever something was announced;
# a connection that is lost is made anew for as long as there is time.
#
# Exit codes: 0 succeeded (or was skipped, or omitted; of a long-running node: is up), 1 failed (or was abandoned), 2 the time
# is over, 3 it waits for a person, 4 no connection.

namespace eval ::cli_wait {
    variable news 0
    variable over 0
    # ms between attempts to connect, and for how long without a time-out
    variable pauses {300 1000 2000 5000}
    variable patience 300000
}

proc ::cli::verb_wait {words} {
    if {[option job] ne "" && [llength [lindex [cli_nodes::sort_out $words] 0]] == 0} {
        set words [linsert $words 0 [value job]]
    }
    set single [cli_nodes::single $words "node or job"]
    if {[option timeout] ne ""} {
        set ms [cli_wait::Milliseconds [value timeout]]
        after $ms {set ::cli_wait::over 1; incr ::cli_wait::news}
    }
    # that a node has failed is not to be mixed up with it
    set ::cli_db::refusal usage
    cli_wait::Connect
    set what [cli_wait::Find {*}$single]
    while 1 {
        if {[catch {cli_wait::State $what} found options]} {
            if {![cli_db::is_lost]} {
                return -options $options $found
            }
            set found {"" "the connection was lost" ""}
        } else {
            lassign $found state words code
            if {$code ne ""} break
        }
        if {$::cli_wait::over} {
            fail timeout "the time is over: [lindex $found 1]"
        }
        if {![cli_db::is_lost]} {
            vwait ::cli_wait::news
        }
        if {[cli_db::is_lost]} {
            cli_wait::Reconnect
        }
    }
    cli_wait::Tell $what $state $words
    if {$code ne "ok"} {
        fail $code ""
    }
}

proc ::cli_wait::Connect {} {
    cli_db::connect
    # before anything is looked at, so that nothing is missed
    cli_db::listen ::cli_wait::Noticed
}

proc ::cli_wait::Noticed {payloads} {
    incr ::cli_wait::news
}

# Again and again, until it is there or the time is over.
proc ::cli_wait::Reconnect {} {
    variable pauses
    variable patience
    set until [expr {[clock milliseconds] + $patience}]
    set attempt 0
    while 1 {
        cli_db::disconnect
        if {![catch {Connect} message options]} {
            return
        }
        if {$::cli_wait::over || ([cli::option timeout] eq "" && [clock milliseconds] > $until)} {
            return -options $options $message
        }
        set timer [after [lindex $pauses [expr {min($attempt, [llength $pauses] - 1)}]] {incr ::cli_wait::news}]
        vwait ::cli_wait::news
        after cancel $timer
        incr attempt
    }
}

# 90, 90s, 15m, 1h, 1d, or 1h30m.
proc ::cli_wait::Milliseconds {text} {
    if {[string is double -strict $text]} {
        set text ${text}s
    }
    if {![regexp {^(?:\d+(?:\.\d+)?[dhms])+$} $text]} {
        cli::fail usage "--timeout is written as 90, 90s, 15m, 1h or 1h30m"
    }
    set ms 0
    foreach {- number unit} [regexp -all -inline {(\d+(?:\.\d+)?)([dhms])} $text] {
        set ms [expr {$ms + $number * [dict get {d 86400000 h 3600000 m 60000 s 1000} $unit]}]
    }
    return [expr {round($ms)}]
}

# What a word means: {node id date} or {job name date}. A name that is a node's and a job's is refused, unless --job says so.
proc ::cli_wait::Find {word date} {
    set nodes [if {[cli::option job] eq ""} {cli_nodes::Candidates $word $date}]
    set name [if {[cli::option job] ne ""} {cli::value job} else {string cat $word}]
    set is_job [cli_db::one "SELECT count(*) FROM (SELECT job_name FROM josch.tpl_jobs UNION SELECT job_name FROM josch.jobs) j
        WHERE job_name = [db::quote $name]"]
    if {$nodes ne {} && $is_job} {
        cli::fail usage "\"$word\" is a node and a job; say which: its number, or --job"
    } elseif {$is_job} {
        return [list job $name [cli_nodes::date $date [if {$date eq ""} {set name}]]]
    } elseif {$nodes ne {}} {
        set node [cli_nodes::find $word $date]
        return [list node [dict get $node node_id] [dict get $node job_date]]
    }
    return [Expected $word $date]
}

# A node of the templates, of a day that is not made yet.
proc ::cli_wait::Expected {word date} {
    set number [if {[string is digit -strict $word] && [string length $word] < 19} {string cat $word} else {string cat NULL}]
    set rows [cli_db::rows "SELECT node_id FROM josch.tpl_nodes WHERE node_id = $number OR node_name = [db::quote $word]"]
    if {[llength $rows] == 1 && $date ne ""} {
        return [list node [lindex $rows 0 0] [cli_nodes::date $date]]
    }
    # says what is wrong
    cli_nodes::find $word $date
}

# How it stands: state, words, and what to end with; "" to go on waiting.
proc ::cli_wait::State {what} {
    lassign $what kind name date
    set which [expr {$kind eq "node" ? "n.node_id = $name" : "n.job_name = [db::quote $name]"}]
    set rows [cli_db::rows "SELECT n.state, n.node_name, n.node_id, count(*) OVER () FROM josch.nodes n
        WHERE n.job_date = '$date' AND $which
        ORDER BY array_position(ARRAY\['failed', 'unknown', 'review', 'signoff', 'held'\], n.state),
            n.state IN ('succeeded', 'up', 'skipped', 'omitted', 'abandoned'), n.state <> 'abandoned', n.node_id LIMIT 1"]
    if {$rows eq {}} {
        return [list "" "$kind $name of $date is not made yet" ""]
    }
    lassign [lindex $rows 0] state node id
    set code [Code $state]
    if {$kind eq "node"} {
        return [list $state "$node ($id) of $date: $state" $code]
    } elseif {$code eq "ok"} {
        return [list succeeded "$name of $date: succeeded" ok]
    }
    # of a job, the node that decides
    return [list $state "$name of $date: $state: $node ($id)" $code]
}

proc ::cli_wait::Code {state} {
    if {$state in {succeeded up skipped omitted}} {
        return ok
    } elseif {$state in {failed abandoned}} {
        return refused
    } elseif {$state in {review signoff held unknown} && [cli::option people] eq ""} {
        return person
    }
    return ""
}

proc ::cli_wait::Tell {what state words} {
    lassign $what kind name date
    if {[cli::option json] ne ""} {
        set name [if {$kind eq "node"} {set name} else {string cat [db::quote $name] ::text}]
        puts [cli_db::one "SELECT json_build_object([db::quote $kind], $name,
            'job_date', '$date', 'state', [db::quote $state]::text)"]
    } else {
        puts [cli_print::line $words]
    }
}
