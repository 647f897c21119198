# client/lib/popup/popup_sql.tcl
#
# The SQL of the windows that call people in: text from rows, nothing else. Pure but for quoting.

namespace eval ::popup_sql {
    # most children that are named
    variable names 12
    # alarms that say no more than the state of a node that waits
    variable repeating {failed unknown attention}
}

# The rows of what waits for this person (none for whoever may not act), and those of the nodes of keys: two statements, with
# the same columns.
proc ::popup_sql::rows {may keys} {
    set columns "to_char(x.job_date, 'YYYY-MM-DD') AS job_date, x.node_id, x.job_name, x.node_name, x.node_type, x.state,
        extract(epoch FROM x.since) AS since, array_to_string(x.acts, ' ') AS acts, x.blocks, x.message, x.run_id, x.change_id,
        x.claimed_by, extract(epoch FROM x.claimed_at) AS claimed_at, extract(epoch FROM x.claimed_until) AS claimed_until,
        x.claim_comment, r.exit_code, r.exit_signal, extract(epoch FROM josch.now()) AS now,
        CASE WHEN x.state IN ('running', 'up') THEN p.progress::text END AS progress, p.progress_text,
        CASE WHEN r.executor IS NOT NULL AND x.state <> 'ready' THEN r.executor || coalesce(' on ' || r.host, '') END AS place"
    set run "LEFT JOIN josch.runs r ON r.run_id = x.run_id LEFT JOIN josch.run_reports p ON p.run_id = x.run_id"
    set keys [expr {$keys eq {} ? "(NULL::bigint, NULL::date)" : [acts::values $keys]}]
    return "SELECT $columns FROM josch.attention x $run
        WHERE [expr {$may ? "true" : "false"}] ORDER BY x.since, x.node_id LIMIT $::popup::limit;
        SELECT $columns FROM (SELECT n.*, n.state_since AS since,
            (SELECT array_agg(DISTINCT f.action) FROM josch.fsm f WHERE f.who = 'person' AND f.from_state = n.state
                AND strpos(f.node_types, n.node_type) > 0) AS acts,
            (SELECT count(*) FROM josch.node_deps d JOIN josch.nodes c ON c.node_id = d.c_node_id AND c.job_date = d.c_date
                WHERE d.p_node_id = n.node_id AND d.p_date = n.job_date AND c.state = 'pending') AS blocks,
            a.claimed_by, a.claimed_at, a.claimed_until, a.claim_comment
            FROM josch.nodes n LEFT JOIN josch.attention a ON a.node_id = n.node_id AND a.job_date = n.job_date
            WHERE (n.node_id, n.job_date) IN (VALUES $keys)) x $run"
}

# The alarms that nobody has acknowledged, as rows of the same columns: what is late, and what no node calls for. Of missed
# days there is a list of their own beside the board.
proc ::popup_sql::alarms {may} {
    variable repeating
    set kinds [concat $repeating [expr {[winfo exists .board] ? "missed_days" : ""}]]
    return "SELECT a.alarm_id, a.kind, coalesce(to_char(a.job_date, 'YYYY-MM-DD'), '') AS job_date,
        coalesce(a.node_id::text, '') AS node_id, coalesce(a.job_name, a.calendar_name, '') AS job_name,
        coalesce(n.node_name, '') AS node_name, '' AS node_type, 'alarm' AS state, extract(epoch FROM a.due_at) AS since,
        'acknowledge' AS acts, 0 AS blocks, a.message, '' AS run_id, a.alarm_id AS change_id, '' AS claimed_by,
        '' AS exit_code, '' AS exit_signal, extract(epoch FROM josch.now()) AS now
        FROM (SELECT * FROM josch.alarms WHERE [expr {$may ? "cleared_at IS NULL AND acked_at IS NULL" : "false"}]
            AND kind NOT IN ([join [lmap kind $kinds {db::quote $kind}] {, }])
            ORDER BY due_at, alarm_id LIMIT $::popup::limit) a
        LEFT JOIN josch.nodes n ON n.job_date = a.job_date AND n.node_id = a.node_id"
}

# What a window shows besides the row: the run, who acted last, the children that wait.
proc ::popup_sql::facts {row} {
    variable names
    return "SELECT n.action, n.acted_by, extract(epoch FROM n.acted_at) AS acted_at, n.comment, n.attempt,
        r.status, r.exit_code, r.exit_signal, r.timed_out, r.host, r.pid, r.message AS run_message,
        extract(epoch FROM r.started_at) AS started_at, extract(epoch FROM r.ended_at) AS ended_at, r.output_tail,
        (SELECT string_agg(x.name, E'\\n') FROM (
            SELECT c.node_name || CASE WHEN c.job_date <> n.job_date THEN ' of ' || to_char(c.job_date, 'YYYY-MM-DD') \
                ELSE '' END AS name
            FROM josch.node_deps d JOIN josch.nodes c ON c.node_id = d.c_node_id AND c.job_date = d.c_date
            WHERE d.p_node_id = n.node_id AND d.p_date = n.job_date AND c.state = 'pending'
            ORDER BY c.job_date, c.node_id LIMIT $names) x) AS children, [details::ResultsSql n.run_id] AS results
        FROM josch.nodes n LEFT JOIN josch.runs r ON r.run_id = n.run_id WHERE [acts::node_condition $row]"
}
