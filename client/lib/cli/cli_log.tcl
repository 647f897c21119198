# client/lib/cli/cli_log.tcl
#
# josch log: what a run has printed, whole or as it comes.
#
# Constraint: a log may be very long, so it is read in pages by offset in bytes. That there is more of it is not announced:
# while it is followed, it is asked for twice a second, and only then.

namespace eval ::cli_log {
    variable page 1048576
    # bytes of the end in which the last lines are looked for
    variable tail 262144
    variable gap 500
    # changes whenever something was announced
    variable news 0
}

proc ::cli::verb_log {words} {
    lassign [cli_nodes::sort_out $words] rest date
    if {[llength $rest] != 1 && [option run] eq ""} {
        Misused "of which node, or run?"
    }
    if {[option lines] ne "" && ![string is digit -strict [value lines]]} {
        Misused "-n needs a number of lines"
    }
    cli_db::connect
    if {[option follow] ne ""} {
        cli_db::listen ::cli_log::Noticed
    }
    lassign [cli_log::RunOf [lindex $rest 0] $date] run node
    if {$run eq "" && [option follow] eq ""} {
        fail refused "[cli_nodes::words $node] has not run yet"
    }
    while {$run eq ""} {
        cli_log::WaitForNews
        set node [cli_nodes::find [dict get $node node_id] [dict get $node job_date]]
        set run [dict get $node run_id]
    }
    cli_log::Print $run
}

# The run that a word means, and its node ({} for a number of a run); "" when the node has none yet.
proc ::cli_log::RunOf {word date} {
    if {[cli::option run] ne ""} {
        set word [cli::value run]
    }
    set is_number [expr {[string is digit -strict $word] && [string length $word] < 19}]
    if {$is_number && ([cli::option run] ne "" || [cli_nodes::Candidates $word $date] eq {})} {
        if {[cli_db::one "SELECT count(*) FROM josch.runs WHERE run_id = $word"] == 0} {
            cli::fail usage "there is no run $word[if {[cli::option run] eq ""} {string cat ", and no node"}]"
        }
        return [list $word {}]
    }
    set node [cli_nodes::find $word $date]
    return [list [dict get $node run_id] $node]
}

proc ::cli_log::Noticed {payloads} {
    incr ::cli_log::news
}

proc ::cli_log::WaitForNews {} {
    vwait ::cli_log::news
    if {[cli_db::is_lost]} {
        cli::fail connection "the connection was lost"
    }
}

proc ::cli_log::IsOpen {run} {
    return [cli_db::one "SELECT (ended_at IS NULL)::int FROM josch.runs WHERE run_id = $run"]
}

# Where a page begins, where the next does, and what is on it.
proc ::cli_log::Page {run offset bytes} {
    return [lindex [cli_db::rows "SELECT start_offset, next_offset, text FROM josch.log_page($run, $offset, $bytes)"] 0]
}

proc ::cli_log::Print {run} {
    variable page
    variable gap
    fconfigure stdout -translation lf
    set offset [Begin $run]
    while 1 {
        # asked before the text, so that what came last is not missed
        set open [expr {[cli::option follow] ne "" && [IsOpen $run]}]
        lassign [Page $run $offset $page] from next text
        Write $text
        if {$next == $offset || ($from == $next && $text eq "")} {
            if {!$open} break
            after $gap {incr ::cli_log::news}
            WaitForNews
        }
        set offset $next
    }
}

proc ::cli_log::Write {text} {
    if {[cli::option json] ne "" && $text ne ""} {
        puts [cli_db::one "SELECT json_build_object('text', [db::quote $text]::text)"]
    } else {
        puts -nonewline [cli_print::text $text]
    }
    flush stdout
}

# Prints the last lines, where they are asked for; the offset at which to go on.
proc ::cli_log::Begin {run} {
    variable tail
    if {[cli::option lines] eq ""} {
        return 0
    }
    lassign [Page $run -$tail $tail] from next text
    set lines [split $text \n]
    set more [expr {[lindex $lines end] eq ""}]
    Write [join [lrange $lines end-[expr {[cli::value lines] + $more - 1}] end] \n]
    return $next
}
