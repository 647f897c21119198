# bench/rows/audit.sh
#
# What the record costs: statements that change many rows, with the audit triggers and, as the floor, without them, in turn and
# rolled back, so that all meet the same tables. What counts parents and looks for cycles is off throughout. Then the board of an
# old moment, beside the reading of the record that it is made from.

rows_audit() {
    local first rows=$((3 * N)) some=$((N / 10))
    make_job audit independent "$N" "" "" S && query "SELECT * FROM josch.schedule('1999-01-01', 'audit')" >/dev/null || { say "no day to change"; return; }
    first=$(query "SELECT min(node_id) FROM josch.nodes WHERE job_date = '1999-01-01'")
    audit_row insert-environs environs "$rows" "INSERT INTO josch.environs SELECT 'V' || n, n FROM generate_series(1, $rows) n"
    audit_row insert-dependencies node_deps "$rows" \
        "INSERT INTO josch.node_deps SELECT $first + n / 3, '1999-01-01', $first + (n * 7 + 13) % $N, '1999-01-01', true, 1 + n % 3 FROM generate_series(1, $rows) n"
    audit_row insert-nodes nodes "$N" "INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, exec_command)
        SELECT '1999-01-01', $first + $N + n, 'N', 'audit', 'more ' || n, '/bin/true' FROM generate_series(1, $N) n"
    audit_row update-states nodes "$N" \
        "UPDATE josch.nodes SET state = 'succeeded', state_since = josch.now(), change_id = change_id + 1 WHERE job_date = '1999-01-01'"
    audit_row update-one-by-one nodes "$some" \
        "DO 'BEGIN FOR i IN 1..$some LOOP UPDATE josch.nodes SET attempt = i WHERE job_date = ''1999-01-01'' AND node_id = $first + i; END LOOP; END'"
    audit_board
}

# audit_row NAME TABLE ROWS STATEMENT
audit_row() {
    AUDIT_TABLE=$2 AUDIT_STATEMENT=$4
    row "audit-$1" "ms" floor 1.3 "the record, $(count "$3") rows: ${1//-/ }"
    rounds floor=audit_without josch=audit_with
}

audit_without() { audit_timed "DISABLE TRIGGER USER"; }
audit_with() { audit_timed "DISABLE TRIGGER USER, ENABLE ALWAYS TRIGGER audit_insert, ENABLE ALWAYS TRIGGER audit_update"; }

audit_timed() {
    printf '%s\n' "BEGIN;" "ALTER TABLE josch.$AUDIT_TABLE $1;" '\timing on' "$AUDIT_STATEMENT;" '\timing off' "ROLLBACK;" |
        as psql -XqAt -v ON_ERROR_STOP=1 -h "$HOME_DIR" -U postgres postgres | sed -nE 's/^Time: ([0-9.]+) ms.*/\1/p'
}

# people hold all nodes of the day and let them go, ten times
audit_board() {
    local i
    row audit-board ms floor 1.3 "the board of an old moment"
    for ((i = 0; i < 10; i++)); do
        query "UPDATE josch.nodes SET state = 'held' WHERE job_date = '1999-01-01' AND node_type = 'N'"
        query "UPDATE josch.nodes SET state = 'pending' WHERE job_date = '1999-01-01' AND node_type = 'N'"
    done
    rounds floor=audit_read josch=audit_board_at
}

audit_read() { timed "SELECT sum(length(new_values::text)) FROM josch.nodes_audit WHERE job_date = '1999-01-01'" ; }
audit_board_at() { timed "SELECT count(*) FROM josch.board_at('1999-01-01', 'infinity')"; }
