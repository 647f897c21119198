# client/lib/cli/cli_nodes.tcl
#
# Which day and which node is meant: dates, numbers and names. Constraint: what could mean two nodes is refused, and the refusal
# lists them.

namespace eval ::cli_nodes {}

# Is a word a date?
proc ::cli_nodes::is_date {word} {
    return [expr {[regexp {^\d{4}-\d\d-\d\d$} $word] || $word in {today yesterday} || [regexp {^-\d+$} $word]}]
}

# The date that a word means, as SQL.
proc ::cli_nodes::DateSql {word} {
    switch -regexp -- $word {
        {^today$} {return "josch.today()"}
        {^yesterday$} {return "(josch.today() - 1)"}
        {^-} {return "(josch.today() - [string range $word 1 end])"}
    }
    return "[db::quote $word]::date"
}

# A date; of none the newest day that there is (of a job).
proc ::cli_nodes::date {word {job ""}} {
    if {$word ne ""} {
        return [cli_db::one "SELECT to_char([DateSql $word], 'YYYY-MM-DD')"]
    }
    set date [cli_db::one "SELECT to_char(max(job_date), 'YYYY-MM-DD') FROM josch.jobs[if {$job ne ""} {
        string cat " WHERE job_name = " [db::quote $job]}]"]
    if {$date eq ""} {
        cli::fail usage "no day [expr {$job eq "" ? "" : "of job \"$job\" "}]has been made yet"
    }
    return $date
}

# Words in two: those that are no date, and the date among them, "" for none.
proc ::cli_nodes::sort_out {words} {
    set dates [lsearch -all -inline -regexp $words {^(\d{4}-\d\d-\d\d|today|yesterday|-\d+)$}]
    if {[llength $dates] > 1} {
        cli::fail usage "two dates: [join $dates { and }]"
    }
    return [list [lmap word $words {
        if {[is_date $word]} continue
        set word
    }] [lindex $dates 0]]
}

# One node of a word, which may be its number or its name, and a date ("" for its newest day): a dict of node_id, job_date,
# job_name, node_name, state, change_id, run_id, and the date as it was said.
proc ::cli_nodes::find {word date} {
    set found [Candidates $word $date]
    if {$found eq {}} {
        cli::fail usage "there is no node \"$word\"[expr {$date eq "" ? "" : " on [date $date]"}]"
    }
    if {[llength $found] > 1} {
        set lines [lmap node $found {
            string cat "    " [dict get $node node_id] "  " [dict get $node node_name] " of job " [dict get $node job_name]
        }]
        cli::fail usage "\"$word\" means more than one node of [dict get [lindex $found 0] job_date];\
            say which by its number:\n[join $lines \n]"
    }
    return [lindex $found 0]
}

# By its number; by its name as it is written, else however it is.
proc ::cli_nodes::Candidates {word date} {
    if {[string is entier -strict $word] && [string length $word] < 19} {
        set found [Of "n.node_id = $word" $date]
        if {$found ne {}} {
            return $found
        }
    }
    set found [Of "n.node_name = [db::quote $word]" $date]
    return [if {$found ne {}} {set found} else {Of "lower(n.node_name) = lower([db::quote $word])" $date}]
}

proc ::cli_nodes::Of {condition date} {
    set on [expr {$date ne "" ? [DateSql $date] : "(SELECT max(n.job_date) FROM josch.nodes n WHERE $condition)"}]
    return [cli_db::dicts "SELECT n.node_id, to_char(n.job_date, 'YYYY-MM-DD') AS job_date, n.job_name, n.node_name, n.state,
        n.change_id, coalesce(n.run_id::text, '') AS run_id FROM josch.nodes n
        WHERE $condition AND n.job_date = $on ORDER BY n.node_id"]
}

# A node in words.
proc ::cli_nodes::words {node} {
    return "[dict get $node node_name] ([dict get $node node_id]) of [dict get $node job_date]"
}

# Exactly one word besides a date.
proc ::cli_nodes::single {words what} {
    lassign [sort_out $words] rest date
    if {[llength $rest] != 1} {
        cli::fail usage [expr {$rest eq {} ? "which $what?" : "too many words: [lindex $rest 1]"}]
    }
    return [list [lindex $rest 0] $date]
}
