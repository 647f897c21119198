# client/lib/board/details_tabs.tcl
#
# What stands in the tabs of a node's details: its output (details_log.tcl), its history, its facts.
#
# Constraint: only the tab in sight is read, and again only when the node has changed.

oo::define ::details::View {
    method ReadTab {} {
        set tab [lindex [split [$path.tabs select] .] end]
        if {$key eq "" || ![dict exists $rows $key]} {
            array unset seen *read
            $log show_node ""
            my Fill history {}
            my Fill facts {}
            return
        }
        set then [board::past]
        set wanted [list $key [dict get $rows $key change_id] $then]
        if {[info exists seen($tab,read)] && $seen($tab,read) eq $wanted} {
            return
        }
        set seen($tab,read) $wanted
        lassign $key node_id date
        set node "[db::quote $node_id]::bigint"
        set day "[db::quote $date]::date"
        switch -- $tab {
            log {
                $log show_node $key $then
            }
            history {
                db::query "SELECT extract(epoch FROM at), who, sentence FROM josch.history($node, $day)
                    [expr {$then eq "" ? "" : "WHERE at <= to_timestamp([format %.6f $then])"}]" \
                    [list late::call [self] TakeHistory $key] history-[self]
            }
            facts {
                db::query "[details::FactsSql $node $day]; [details::BesideSql $node $day]" \
                    [list late::call [self] TakeFacts $key] facts-[self]
            }
        }
    }

    method Fill {tab pieces} {
        set text $path.tabs.$tab.text
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
            set pieces [expr {[board::past] eq "" ? {} : {"As they are now:\n" quiet}}]
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
        set text $path.tabs.facts.text
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
                [expr {$job_date eq [lindex $key 1] ? "" : "  $job_date"}] {} "  $state\n" quiet
        }
        $text configure -state disabled
    }
}

# ---- SQL ----

proc ::details::FactsSql {node day} {
    return "SELECT to_char(n.due_at, 'YYYY-MM-DD HH24:MI TZ') AS \"Not before\",
        CASE WHEN n.forced THEN 'yes' END AS \"Forced\", n.unmet::text AS \"Unmet parents\", n.attempt::text AS \"Runs\",
        n.message AS \"Message\", n.exec_command AS \"Command\", n.exec_sql AS \"SQL\", n.work_dir AS \"Directory\",
        n.ready_command AS \"Ready when\",
        n.timeout::text AS \"Time-out\", n.owner AS \"Owner\",
        r.run_id::text AS \"Run\", r.status AS \"Status\", r.host AS \"Host\", r.pid::text AS \"Process\",
        r.exit_code::text AS \"Exit code\", r.exit_signal::text AS \"Signal\", 
        round(r.cpu_seconds::numeric, 2) || ' s' AS \"CPU\",
        pg_size_pretty(r.peak_memory) AS \"Memory\", r.log AS \"Log\"
        FROM josch.nodes n LEFT JOIN josch.runs r ON r.run_id = n.run_id
        WHERE n.node_id = $node AND n.job_date = $day"
}

proc ::details::BesideSql {node day} {
    return "SELECT x.side, x.node_id, to_char(x.job_date, 'YYYY-MM-DD') AS job_date,
        coalesce(n.node_name, '(not made)') AS node_name,
        coalesce(n.node_type, '') AS node_type, coalesce(n.state, '') AS state
        FROM (SELECT 'parent' AS side, p_node_id AS node_id, p_date AS job_date
            FROM josch.node_deps WHERE c_node_id = $node AND c_date = $day
            UNION ALL SELECT 'child', c_node_id, c_date FROM josch.node_deps WHERE p_node_id = $node AND p_date = $day) x
        LEFT JOIN josch.nodes n ON n.node_id = x.node_id AND n.job_date = x.job_date
        ORDER BY x.side DESC, x.job_date, x.node_id LIMIT 200"
}
