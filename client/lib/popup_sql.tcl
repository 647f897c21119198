# client/lib/popup_sql.tcl
#
# The SQL of the windows that call people in: text from rows, nothing else. Pure but for db::quote.

namespace eval ::popup_sql {
    # most children that are named
    variable names 12
}

# The condition that finds the row's node in josch.nodes n.
proc ::popup_sql::node_condition {row} {
    return "n.node_id = [db::quote [dict get $row node_id]]::bigint AND n.job_date = [db::quote [dict get $row job_date]]::date"
}

# What a window shows besides the row: the run, who acted last, the children that wait.
proc ::popup_sql::facts {row} {
    variable names
    return "SELECT n.action, n.acted_by, extract(epoch FROM n.acted_at) AS acted_at, n.comment, n.attempt,
        r.status, r.exit_code, r.exit_signal, r.timed_out, r.host, r.pid, r.message AS run_message,
        extract(epoch FROM r.started_at) AS started_at, extract(epoch FROM r.ended_at) AS ended_at, r.output_tail,
        (SELECT string_agg(x.name, E'\\n') FROM (
            SELECT c.node_name || CASE WHEN c.job_date <> n.job_date THEN ' of ' || to_char(c.job_date, 'YYYY-MM-DD') ELSE '' END AS name
            FROM josch.node_deps d JOIN josch.nodes c ON c.node_id = d.c_node_id AND c.job_date = d.c_date
            WHERE d.p_node_id = n.node_id AND d.p_date = n.job_date AND c.state = 'pending'
            ORDER BY c.job_date, c.node_id LIMIT $names) x) AS children
        FROM josch.nodes n LEFT JOIN josch.runs r ON r.run_id = n.run_id WHERE [node_condition $row]"
}

# An act on the node of a row. No row comes back when the node waits for the same again, but is not what the person saw: it
# has failed a second time since. Whatever else has happened, the database refuses in its own words.
proc ::popup_sql::act {row action comment} {
    set text [expr {$comment eq "" ? "NULL" : [db::quote $comment]}]
    set node "[db::quote [dict get $row node_id]]::bigint, [db::quote [dict get $row job_date]]::date"
    return "SELECT josch.${action}($node, $text) WHERE NOT EXISTS (SELECT FROM josch.nodes n WHERE [node_condition $row]
        AND n.state = [db::quote [dict get $row state]] AND n.change_id > [db::quote [dict get $row change_id]]::bigint)"
}
