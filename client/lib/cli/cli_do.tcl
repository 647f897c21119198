# client/lib/cli/cli_do.tcl
#
# The verbs that do something: act, schedule, pause, resume.

# josch act VERB NODE... [DATE] -m COMMENT
proc ::cli::verb_act {words} {
    lassign [cli_nodes::sort_out $words] rest date
    set names [lassign $rest action]
    if {$action eq "" || $names eq {}} {
        Misused "which act, and on which node? For instance: josch act retry Load -m \"disk was full\""
    }
    cli_db::connect
    set action [string map {- _} [string tolower $action]]
    set acts [lmap row [cli_db::rows {SELECT action FROM josch.acts()}] {lindex $row 0}]
    if {$action ni [concat $acts claim unclaim]} {
        Misused "there is no act \"$action\"; there are [string map {_ -} [join [concat [lsort $acts] claim unclaim] {, }]]"
    }
    set nodes [lmap name $names {cli_nodes::find $name $date}]
    set refused 0
    foreach row [cli_db::dicts [ActSql $action $nodes]] {
        incr refused [Acted $action $row $nodes]
    }
    if {$refused} {
        fail refused ""
    }
}

proc ::cli::ActSql {action nodes} {
    set comment [expr {[option comment] eq "" ? "NULL" : [db::quote [value comment]]}]
    foreach name {node_id job_date change_id} {
        set $name [join [lmap node $nodes {dict get $node $name}] ,]
    }
    if {[option descendants] ne ""} {
        if {$action ne "rerun" || [llength $nodes] > 1} {
            Misused "--descendants is for rerun, of one node"
        }
        return "SELECT $node_id AS node_id, '$job_date' AS job_date, r.state, '' AS message, '' AS detail, '' AS hint
            FROM (SELECT josch.rerun($node_id, '$job_date', $comment, true)::text) r (state)"
    }
    return "SELECT node_id, to_char(job_date, 'YYYY-MM-DD') AS job_date, state, message, detail, hint
        FROM josch.act([db::quote $action], '{$node_id}', '{$job_date}', $comment, '{$change_id}')"
}

# One answer; true when it is a refusal.
proc ::cli::Acted {action row nodes} {
    set refused [expr {[dict get $row message] ne ""}]
    foreach one $nodes {
        if {[dict get $one node_id] eq [dict get $row node_id]} {
            set node $one
        }
    }
    set name [cli_print::line [cli_nodes::words $node]]
    if {[option json] ne ""} {
        puts [cli_db::one "SELECT json_build_object('node_id', [dict get $row node_id],
            'job_date', [db::quote [dict get $row job_date]], 'node_name', [db::quote [dict get $node node_name]]::text,
            'action', [db::quote $action]::text,
            'done', [expr {!$refused}]::int::boolean, 'state', nullif([db::quote [dict get $row state]], ''),
            'message', nullif([db::quote [dict get $row message]], ''))"]
    } elseif {!$refused} {
        puts "$name: [dict get $row state]"
    }
    if {$refused} {
        set words [cli_db::Words [dict get $row message] [dict get $row detail] [dict get $row hint]]
        puts stderr "josch: $name: [cli_print::plain $words]"
    }
    return $refused
}

# josch schedule [DATE] [JOB] [--param NAME=VALUE]...
proc ::cli::verb_schedule {words} {
    lassign [cli_nodes::sort_out $words] rest date
    if {[llength $rest] > 1} {
        Misused "too many words: [lindex $rest 1]"
    }
    set job [if {$rest ne {}} {lindex $rest 0} else {value job}]
    cli_db::connect
    set on [expr {$date eq "" ? "NULL" : [cli_nodes::DateSql $date]}]
    set sql "SELECT job_name, to_char(job_date, 'YYYY-MM-DD') AS job_date, nodes, dependencies
        FROM josch.schedule($on, [expr {$job eq "" ? "NULL" : [db::quote $job]}][ParamsSql])"
    if {[option json] ne ""} {
        cli_db::print_json $sql
        return
    }
    set rows [cli_db::rows $sql]
    if {$rows eq {}} {
        puts "nothing to make"
        return
    }
    cli_print::table {JOB DATE NODES DEPENDENCIES} $rows
    # of all jobs, one that cannot be made keeps no other from being made
    if {[lsearch -exact -index 2 $rows ""] >= 0} {
        fail refused ""
    }
}

proc ::cli::ParamsSql {} {
    set pairs {}
    foreach param [option param] {
        if {![regexp {^([^=]+)=(.*)$} $param - name value]} {
            Misused "--param is written NAME=VALUE"
        }
        lappend pairs "[db::quote $name]::text, [db::quote $value]::text"
    }
    return [if {$pairs ne {}} {string cat ", jsonb_build_object(" [join $pairs {, }] ")"}]
}

# josch pause JOB [DATE] | --semaphore NAME | --all
proc ::cli::verb_pause {words} {
    Pause pause paused $words
}

proc ::cli::verb_resume {words} {
    Pause resume resumed $words
}

# The whole database only when that is said: a word that was forgotten must not stop all.
proc ::cli::Pause {function done words} {
    lassign [cli_nodes::sort_out $words] rest date
    set job [expr {$rest ne {} ? [lindex $rest 0] : [value job]}]
    set semaphore [value semaphore]
    if {[llength $rest] > 1} {
        Misused "too many words: [lindex $rest 1]"
    }
    if {($job ne "") + ($semaphore ne "") + ([option all] ne "") != 1 || ($date ne "" && $job eq "")} {
        Misused "$function what: a JOB, a JOB and a DATE, --semaphore NAME, or --all?"
    }
    cli_db::connect
    set date [expr {$date eq "" ? "" : [cli_nodes::date $date]}]
    set values [lmap text [list $job $date $semaphore [value comment]] {expr {$text eq "" ? "NULL" : [db::quote $text]}}]
    set sql "SELECT josch.${function}([join $values {, }])"
    if {[option json] ne ""} {
        lassign $values job date semaphore
        cli_db::print_json "SELECT [db::quote $done] AS done, ${job}::text AS job_name, ${date}::date AS job_date,
            ${semaphore}::text AS semaphore_name FROM ($sql) p"
        return
    }
    cli_db::rows $sql
    puts "[cli_print::line [if {$semaphore ne ""} {string cat "semaphore " $semaphore} elseif {$job eq ""} {
        string cat "all of the database"} else {string cat [expr {$date eq "" ? "" : "$date of "}] "job " $job}]]: $done"
}
