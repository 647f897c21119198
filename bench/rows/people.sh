# bench/rows/people.sh
#
# People: how soon after the commit of a sign-off its child starts, one at a time; and fifty who sign off parents of one child.

SIGN_OFFS=100

rows_people() {
    row signoff ms floor 1.2 "from sign-off to its child's start, p50"
    row signoff-p99 ms p50 3 "its p99, to its p50"
    make_pairs signoff exec_command "'/bin/true'"
    query "CREATE TABLE one (n bigint); INSERT INTO one VALUES (0)"
    rounds floor=floor_commit_and_spawn josch="sign_one_by_one signoff" p50=last_median
    people_at_once
}

# make_pairs JOB COLUMN VALUE: sign-offs, each with a child of its own, whose number is greater by SIGN_OFFS
make_pairs() {
    local base
    base=$(query "SELECT coalesce(max(node_id), 0) + 1 FROM josch.tpl_nodes")
    query "INSERT INTO josch.tpl_jobs (job_name, loaded_on) VALUES ('$1', '2000-01-01');
        INSERT INTO josch.tpl_nodes (node_id, job_name, node_name, node_type) SELECT $base + i, '$1', 'sign ' || i, 'S' FROM generate_series(0, $SIGN_OFFS - 1) i;
        INSERT INTO josch.tpl_nodes (node_id, job_name, node_name, node_type, $2)
            SELECT $base + $SIGN_OFFS + i, '$1', 'child ' || i, 'N', $3 FROM generate_series(0, $SIGN_OFFS - 1) i;
        INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) SELECT $base + i, $base + $SIGN_OFFS + i FROM generate_series(0, $SIGN_OFFS - 1) i"
}

# sign_one_by_one JOB: from the moment at which the signer knows that it is committed, to the start of the child: median, 99th percentile
sign_one_by_one() {
    local date id marks=$HOME_DIR/marks
    date=$(next_date) && query "SELECT * FROM josch.schedule('$date', '$1')" >/dev/null || return
    wait_for "SELECT count(*) FROM josch.nodes WHERE job_date = '$date' AND node_type = 'S' AND state <> 'signoff'" || return
    for id in $(query "SELECT node_id FROM josch.nodes WHERE job_date = '$date' AND node_type = 'S' ORDER BY 1"); do
        echo "SELECT josch.signoff($id, '$date');"
        echo "SELECT 'mark', $id, extract(epoch FROM clock_timestamp());"
        # a person's pace, so that each is served by itself
        sleep 0.05
    done | as psql -XqAt -v ON_ERROR_STOP=1 -h "$HOME_DIR" -U postgres postgres | grep '^mark' | tr '|' '\t' >"$marks"
    wait_day "$date" || return
    as psql -XqAt -v ON_ERROR_STOP=1 -h "$HOME_DIR" -U postgres postgres <<SQL | tr '{,}' '   ' | tee "$HOME_DIR/last"
CREATE TEMP TABLE mark (what text, id bigint, at numeric);
\\copy mark FROM '$marks'
SELECT percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY round(1000 * (extract(epoch FROM r.started_at) - at), 3))
    FROM mark JOIN josch.runs r ON r.node_id = id + $SIGN_OFFS AND r.job_date = '$date';
SQL
}

# beside the 99th percentile stands the median of the same round
last_median() { read -r p50 _ <"$HOME_DIR/last" && echo "- $p50"; }

# one commit of one row, and one process
floor_commit_and_spawn() {
    local commit spawn
    commit=$(pgbench_times 1 "$SIGN_OFFS" "UPDATE one SET n = n + 1") || return
    spawn=$(floor spawn "$SIGN_OFFS" 1) || return
    awk -v commit="$commit" -v spawn="$spawn" 'BEGIN { split(commit, c); split(spawn, s); print c[2] + s[2], "-" }'
}

people_at_once() {
    row people "ms an act" pgbench 1.5 "50 people, parents of one child"
    row people-p99 ms pgbench "" "the p99 of such an act"
    make_job people fan-in 1001 && query "UPDATE josch.tpl_nodes SET node_type = 'S' WHERE job_name = 'people' AND node_name <> 'node 1000'; CREATE SEQUENCE person"
    rounds pgbench=fifty_commits josch=fifty_people
}

fifty_commits() { pgbench_times 50 20 "UPDATE one SET n = n + 1" | cut -d ' ' -f 1,3; }

fifty_people() {
    local date
    date=$(next_date) && query "SELECT * FROM josch.schedule('$date', 'people')" >/dev/null || return
    wait_for "SELECT count(*) FROM josch.nodes WHERE job_date = '$date' AND node_type = 'S' AND state <> 'signoff'" || return
    query "SELECT setval('person', min(node_id), false) FROM josch.nodes WHERE job_date = '$date'" >/dev/null
    pgbench_times 50 20 "SELECT josch.signoff(nextval('person'), '$date')" | cut -d ' ' -f 1,3
    wait_day "$date"
}

# pgbench_times CLIENTS EACH STATEMENT: ms by the clock for each, the median of one, the 99th percentile of one
pgbench_times() {
    local tps
    rm -f "$HOME_DIR"/pgbench_log*
    echo "$3;" | as tee "$HOME_DIR/statement.sql" >/dev/null
    tps=$(as pgbench -n -h "$HOME_DIR" -U postgres -c "$1" -j 2 -t "$2" -f "$HOME_DIR/statement.sql" -l --log-prefix="$HOME_DIR/pgbench_log" postgres |
        sed -n 's/^tps = \([0-9.]*\).*/\1/p') || return
    cat "$HOME_DIR"/pgbench_log* | awk '{ print $3 / 1000 }' | sort -n |
        awk -v tps="$tps" '{ v[NR] = $1 } END { printf "%.3f %.3f %.3f\n", 1000 / tps, v[int((NR + 1) / 2)], v[int(NR * 0.99)] }'
}
