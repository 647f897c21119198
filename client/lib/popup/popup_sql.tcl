# client/lib/popup/popup_sql.tcl
#
# The SQL of the windows that call people in: text from rows, nothing else. Pure but for quoting.

namespace eval ::popup_sql {
    # most children that are named
    variable names 12
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
            ORDER BY c.job_date, c.node_id LIMIT $names) x) AS children
        FROM josch.nodes n LEFT JOIN josch.runs r ON r.run_id = n.run_id WHERE [acts::node_condition $row]"
}
