# client/lib/cli/cli_look.tcl
#
# The verbs that look once: status, why, show, doctor; and complete, what a shell may complete a word to.

# The nodes of a day that are asked for, as SQL.
proc ::cli::StatusSql {date} {
    set conditions [list "b.job_date = [db::quote $date]::date"]
    if {[value job] ne ""} {
        lappend conditions "b.job_name = [db::quote [value job]]"
    }
    if {[option state] ne ""} {
        lappend conditions "b.state IN ([join [lmap state [option state] {db::quote $state}] {, }])"
    }
    if {[option attention] ne ""} {
        lappend conditions "s.attention"
    }
    return "SELECT b.node_id, to_char(b.job_date, 'YYYY-MM-DD') AS job_date, b.job_name, b.node_name, b.node_type, b.state,
        date_trunc('second', b.state_since) AS state_since, b.attempt, b.run_id, b.not_before, b.due_at, b.acted_by, b.action,
        b.comment, b.progress, b.progress_text, b.message
        FROM josch.board b JOIN josch.states() s USING (state) WHERE [join $conditions { AND }]
        ORDER BY b.job_name, b.node_id"
}

proc ::cli::verb_status {words} {
    cli_db::connect
    lassign [cli_nodes::sort_out $words] rest word
    if {$rest ne {}} {
        Misused "too many words: [lindex $rest 0]"
    }
    set date [cli_nodes::date $word [value job]]
    set sql [StatusSql $date]
    if {[option json] ne ""} {
        cli_db::print_json $sql
        return
    }
    set nodes [cli_db::dicts $sql]
    puts "$date: [Counts $nodes]"
    foreach row [cli_db::rows "SELECT detail FROM josch.health() WHERE component = 'executor' AND NOT up"] {
        puts [cli_print::line [lindex $row 0]]
    }
    if {$nodes ne {}} {
        cli_print::table {NODE JOB NAME STATE SINCE MESSAGE} [lmap node $nodes {
            list [dict get $node node_id] [dict get $node job_name] [dict get $node node_name] [dict get $node state] \
                [string range [dict get $node state_since] 0 18] [Message $node]
        }] 3
    }
}

# What there is to say of a node: how far its run is, and its message.
proc ::cli::Message {node} {
    dict with node {
        if {$progress eq "" || $state ni {running up}} {
            return $message
        }
        return [string trim "[expr {round(100 * $progress)}] % $progress_text $message"]
    }
}

# "3 nodes: 1 failed, 2 succeeded", the most urgent first.
proc ::cli::Counts {nodes} {
    set counts [dict create]
    foreach node $nodes {
        dict incr counts [dict get $node state]
    }
    set words {}
    foreach row [cli_db::rows {SELECT state FROM josch.states() ORDER BY urgency}] {
        set state [lindex $row 0]
        if {[dict exists $counts $state]} {
            lappend words "[dict get $counts $state] [cli_print::colour $state [cli_print::of_state $state]]"
        }
    }
    set count [llength $nodes]
    return "[expr {$count == 1 ? "1 node" : "$count nodes"}][if {$count} {string cat ": " [join $words {, }]}]"
}

proc ::cli::verb_why {words} {
    cli_db::connect
    set node [cli_nodes::find {*}[cli_nodes::single $words node]]
    set sql "SELECT depth, node_id, to_char(job_date, 'YYYY-MM-DD') AS job_date, job_name, node_name, state, reason, detail,
        date_trunc('second', since) AS since, date_trunc('second', until) AS until, who
        FROM josch.why([dict get $node node_id], '[dict get $node job_date]')"
    if {[option json] ne ""} {
        cli_db::print_json $sql
        return
    }
    foreach row [cli_db::dicts $sql] {
        dict with row {
            set name "[cli_print::line $node_name] ($node_id)"
            if {$job_date ne [dict get $node job_date]} {append name " of $job_date"}
            set parts [list "[string repeat "  " $depth]$name: [cli_print::line $detail]"]
            if {$since ne ""} {lappend parts "since $since"}
            if {$until ne ""} {lappend parts "until $until"}
            if {$who ne ""} {lappend parts "by [cli_print::line $who]"}
            puts [join $parts ", "]
        }
    }
}

# ---- show ----

proc ::cli::verb_show {words} {
    # as Slurm's people say: scontrol show node NAME
    while {[lindex $words 0] in {show node job} && [llength $words] > 1} {
        set words [lrange $words 1 end]
    }
    cli_db::connect
    set node [cli_nodes::find {*}[cli_nodes::single $words node]]
    set where "node_id = [dict get $node node_id] AND job_date = '[dict get $node job_date]'"
    set runs "SELECT r.run_id, r.attempt, r.status, r.exit_code, r.exit_signal,
        date_trunc('second', r.started_at) AS started_at, date_trunc('second', r.ended_at) AS ended_at, r.host, p.results
        FROM josch.runs r LEFT JOIN josch.run_reports p ON p.run_id = r.run_id AND p.results <> '{}'
        WHERE [string map {node_id r.node_id job_date r.job_date} $where] ORDER BY r.attempt"
    set history "SELECT date_trunc('second', at) AS at, who, sentence
        FROM josch.history([dict get $node node_id], '[dict get $node job_date]')"
    if {[option json] ne ""} {
        puts [cli_db::one "SELECT to_jsonb(n) || jsonb_build_object(
            'runs', (SELECT coalesce(jsonb_agg(to_jsonb(r)), '\[\]') FROM ($runs) r),
            'history', (SELECT coalesce(jsonb_agg(to_jsonb(h)), '\[\]') FROM ($history) h)) FROM josch.nodes n WHERE $where"]
        return
    }
    cli_print::facts [ShowFacts [lindex [cli_db::dicts "SELECT * FROM josch.nodes n WHERE $where"] 0]]
    set rows [cli_db::rows $runs]
    if {$rows ne {}} {
        puts ""
        cli_print::table {RUN ATTEMPT STATUS EXIT SIGNAL STARTED ENDED HOST RESULTS} $rows
    }
    set rows [cli_db::rows $history]
    if {$rows ne {}} {
        puts ""
        cli_print::table {AT WHO WHAT} $rows
    }
}

# The columns that say something, the same names as in the table; those without a word are left out.
proc ::cli::ShowFacts {row} {
    foreach {name value} $row {
        if {$name ni {unmet impossible level change_id} && $value ni {"" f}} {
            lappend facts $name $value
        }
    }
    return $facts
}

# ---- doctor ----

proc ::cli::verb_doctor {words} {
    cli_db::connect
    set sql "SELECT component, up, pid, date_trunc('second', since) AS since, detail FROM josch.health()"
    if {[option json] ne ""} {
        cli_db::print_json $sql
    } else {
        set facts [cli_db::rows {SELECT current_database(), session_user, current_setting('server_version'),
            (SELECT extversion FROM pg_extension WHERE extname = 'josch'), pg_is_in_recovery()}]
        lassign [lindex $facts 0] database user server version standby
        puts "database $database as $user, PostgreSQL $server, josch $version[if {$standby} {string cat ", a standby"}]"
        cli_print::table {"" COMPONENT SINCE DETAIL} [lmap row [cli_db::dicts $sql] {
            lassign [lmap name {up component since detail} {dict get $row $name}] up component since detail
            list [dict get {t ok f NOT "" -} $up] $component $since $detail
        }]
    }
    if {[cli_db::one "SELECT count(*) FROM josch.health() WHERE NOT up"]} {
        fail refused ""
    }
}

# ---- for the shell ----

# What a word may be: acts, jobs, states or nodes of the newest day; nothing at all when the database cannot be asked.
proc ::cli::verb_complete {words} {
    set what [lindex $words 0]
    if {$what eq "verbs"} {
        variable verbs
        puts [join [dict keys $verbs] \n]
        return
    }
    set sql [dict get {
        acts {SELECT replace(action, '_', '-') FROM josch.acts() UNION VALUES ('claim'), ('unclaim') ORDER BY 1}
        jobs {SELECT job_name FROM josch.tpl_jobs ORDER BY 1 LIMIT 1000}
        semaphores {SELECT semaphore_name FROM josch.semaphores ORDER BY 1 LIMIT 1000}
        states {SELECT state FROM josch.states() ORDER BY 1}
        nodes {SELECT node_name FROM josch.nodes WHERE job_date = (SELECT max(job_date) FROM josch.jobs) ORDER BY 1 LIMIT 2000}
    } $what]
    catch {
        cli_db::connect
        foreach row [cli_db::rows $sql] {
            puts [cli_print::line [lindex $row 0]]
        }
    }
}
