# client/lib/board/details_tabs.tcl
#
# All that is known of a node besides its state: its output (details_log.tcl), its history, its facts, a tab each. In the pane
# beside the board, and in a node's own window.
#
# Constraint: only the tab in sight is read, and again only when the node has changed.

oo::class create ::details::Tabs {
    # shown: the node, what it was when that was told (its change_id), and the moment of the past, of none; read: what each tab
    # shows
    variable path key shown read log

    constructor {window} {
        set path $window
        lassign {} key shown
        array set read {}
        ttk::notebook $path
        set log [details_log::View new $path.log]
        $path add $path.log -text "Output"
        $path add [my BuildText $path.history] -text "History"
        $path add [my BuildText $path.facts] -text "Facts"
        $path.facts.text configure -tabs [theme::chars 15] -spacing3 2 -wrap char
        $path.facts.text tag configure link -underline 1
        $path.facts.text tag configure value -lmargin2 [theme::chars 15]
        bind $path <<NotebookTabChanged>> [list late::call [self] ReadTab]
        bind $path <Destroy> [list ::details::Gone [self] %W $path]
    }

    destructor {
        $log destroy
    }

    method BuildText {frame} {
        ttk::frame $frame
        text $frame.text -wrap word -state disabled -borderwidth 0 -padx [theme::px 8] -pady [theme::px 6] \
            -width 34 -height 8 -cursor arrow \
            -yscrollcommand [list $frame.y set] -spacing3 4 -font [theme::font ui]
        ttk::scrollbar $frame.y -orient vertical -command [list $frame.text yview]
        pack $frame.y -side right -fill y
        pack $frame.text -fill both -expand 1
        details::dress $frame.text
        return $frame
    }

    # Show a node as it is since a change, at a moment of the past or now (""); "" for none.
    method show {newKey change {then ""}} {
        if {$newKey ne $key} {
            array unset read
        }
        set key $newKey
        set shown [list $newKey $change $then]
        my ReadTab
    }

    # What is shown is to be read again, though nothing has changed: the connection was gone.
    method renew {} {
        array unset read
        my ReadTab
    }

    method ReadTab {} {
        set tab [lindex [split [$path select] .] end]
        if {$key eq ""} {
            array unset read
            $log show_node ""
            my Fill history {}
            my Fill facts {}
            return
        }
        if {[info exists read($tab)] && $read($tab) eq $shown} {
            return
        }
        set read($tab) $shown
        lassign $key node_id date
        set then [lindex $shown 2]
        set node "[db::quote $node_id]::bigint"
        set day "[db::quote $date]::date"
        switch -- $tab {
            log {
                $log show_node $key $then
            }
            history {
                db::query [details::HistorySql $node $day $then] [list late::call [self] TakeHistory $key] history-[self]
            }
            facts {
                db::query "[details::FactsSql $node $day]; [details::BesideSql $node $day]" \
                    [list late::call [self] TakeFacts $key] facts-[self]
            }
        }
    }

    method Fill {tab pieces} {
        set text $path.$tab.text
        $text configure -state normal
        $text delete 1.0 end
        $text insert end {*}[expr {$pieces eq {} ? {{} {}} : $pieces}]
        $text configure -state disabled
    }

    method TakeHistory {of result} {
        if {$of ne $key} {
            return
        }
        if {![dict get $result ok]} {
            my Fill history [list [dict get $result message] quiet]
            return
        }
        set pieces {}
        foreach line [dict get $result rows] {
            lassign $line at who sentence
            set when [clock format [expr {int($at)}] -format "%d %b %H:%M:%S"]
            lappend pieces "$when   $who\n" quiet "$sentence\n" {}
        }
        my Fill history $pieces
    }

    method TakeFacts {of result} {
        if {$of eq $key && [dict get $result ok]} {
            set pieces [expr {[lindex $shown 2] eq "" ? {} : {"As they are now:\n" quiet}}]
            foreach row [db::dicts [lindex [dict get $result all] 0]] {
                dict for {name value} $row {
                    if {$value ne ""} {
                        lappend pieces "$name\t" quiet "$value\n" value
                    }
                }
            }
            my Fill facts $pieces
            my WriteBeside [db::dicts $result]
        }
    }

    # What it waits for and what waits for it: each a link to its node.
    method WriteBeside {nodes} {
        set text $path.facts.text
        $text configure -state normal
        set former ""
        set number 0
        foreach row $nodes {
            dict with row {}
            # as the board shows it, be it of the past
            set shown [board::row [list $node_id $job_date]]
            if {$shown ne {}} {
                set state [dict get $shown state]
            }
            if {$side ne $former} {
                $text insert end "\n[expr {$side eq "parent" ? "Waits for" : "What waits for it"}]\n" quiet
                set former $side
            }
            set tag link[incr number]
            $text tag bind $tag <Button-1> [list board::select [list $node_id $job_date]]
            $text insert end "$node_name" [list link $tag] "  \[$node_type\] $node_id" {} \
                [expr {$job_date eq [lindex $key 1] ? "" : "  $job_date"}] {} "  $state$condition\n" quiet
        }
        $text configure -state disabled
    }
}

# ---- SQL ----

# The results of a run, as one text; NULL without any.
proc ::details::ResultsSql {run} {
    return "(SELECT string_agg(e.key || ' = ' || e.value, ', ' ORDER BY e.key COLLATE \"C\")
        FROM josch.run_reports p, jsonb_each_text(p.results) e WHERE p.run_id = $run)"
}

# What has happened, and the results of each run at its end; up to a moment of the past, or all ("").
proc ::details::HistorySql {node day then} {
    return "SELECT extract(epoch FROM at), who, sentence FROM (
        SELECT at, coalesce(who, '') AS who, sentence, ordinality FROM josch.history($node, $day) WITH ORDINALITY
        UNION ALL SELECT coalesce(r.ended_at, p.reported_at), '',
            'results of run ' || r.run_id || ' (attempt ' || r.attempt || '): ' || [ResultsSql r.run_id], 0
        FROM josch.runs r JOIN josch.run_reports p ON p.run_id = r.run_id AND p.results <> '{}'
        WHERE r.node_id = $node AND r.job_date = $day) h
        [expr {$then eq "" ? "" : "WHERE at <= to_timestamp([format %.6f $then])"}] ORDER BY at, ordinality"
}

proc ::details::FactsSql {node day} {
    return "SELECT to_char(n.due_at, 'YYYY-MM-DD HH24:MI TZ') AS \"Not before\",
        CASE WHEN n.forced THEN 'yes' END AS \"Forced\", n.unmet::text AS \"Unmet parents\",
        nullif(n.impossible, 0)::text AS \"Impossible\", nullif(n.join_rule, 'all') AS \"Joins by\",
        nullif(n.on_failure, 'ask') AS \"On failure\", n.attempt::text AS \"Runs\",
        n.message AS \"Message\", n.exec_command AS \"Command\", n.exec_sql AS \"SQL\", n.work_dir AS \"Directory\",
        n.executor AS \"Executor\", n.executor_options AS \"Its options\",
        n.ready_command AS \"Ready when\",
        n.wait_file AS \"Waits for file\", n.file_found AS \"File found\",
        n.wait_sql AS \"Waits for query\", to_char(n.sql_true_at, 'YYYY-MM-DD HH24:MI:SS TZ') AS \"True since\",
        n.timeout::text AS \"Time-out\", n.owner AS \"Owner\",
        CASE WHEN n.retries > 0 THEN n.retried || ' of ' || n.retries || ' used' END AS \"Retries\",
        CASE WHEN n.state IN ('pending', 'ready') THEN CASE WHEN n.retried > 0 THEN
            n.attempt + 1 || ' of ' || n.attempt + n.retries - n.retried + 1 || ', ' ELSE '' END
            || 'next at ' || to_char(n.not_before, 'YYYY-MM-DD HH24:MI:SS TZ') END AS \"Next attempt\",
        nullif(n.success_codes, '{\[0,1)}')::text AS \"Codes of success\",
        CASE WHEN n.retries > 0 THEN n.retry_codes::text END AS \"Codes to try again\",
        r.run_id::text AS \"Run\", r.status AS \"Status\", r.host AS \"Host\", r.pid::text AS \"Process\",
        r.exit_code::text AS \"Exit code\", r.exit_signal::text AS \"Signal\", 
        round(r.cpu_seconds::numeric, 2) || ' s' AS \"CPU\",
        pg_size_pretty(r.peak_memory) AS \"Memory\", r.log AS \"Log\", [ResultsSql r.run_id] AS \"Results\",
        (SELECT p.problems FROM josch.run_reports p WHERE p.run_id = r.run_id) AS \"Not understood\",
        (SELECT string_agg(p.key || '=' || p.value, ' ' ORDER BY p.key COLLATE \"C\")
            FROM josch.jobs j, jsonb_each_text(j.params) p
            WHERE j.job_name = n.job_name AND j.job_date = n.job_date) AS \"Parameters\"
        FROM josch.nodes n LEFT JOIN josch.runs r ON r.run_id = n.run_id
        WHERE n.node_id = $node AND n.job_date = $day"
}

proc ::details::BesideSql {node day} {
    return "SELECT x.side, x.node_id, to_char(x.job_date, 'YYYY-MM-DD') AS job_date,
        coalesce(n.node_name, '(not made)') AS node_name,
        coalesce(n.node_type, '') AS node_type, coalesce(n.state, '') AS state,
        CASE WHEN x.condition <> 'success' THEN '  (' || x.condition || ')' ELSE '' END AS condition
        FROM (SELECT 'parent' AS side, p_node_id AS node_id, p_date AS job_date, condition
            FROM josch.node_deps WHERE c_node_id = $node AND c_date = $day
            UNION ALL SELECT 'child', c_node_id, c_date, condition FROM josch.node_deps
            WHERE p_node_id = $node AND p_date = $day) x
        LEFT JOIN josch.nodes n ON n.node_id = x.node_id AND n.job_date = x.job_date
        ORDER BY x.side DESC, x.job_date, x.node_id LIMIT 200"
}
