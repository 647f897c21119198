# bench/rows/day.sh
#
# Days: josch.schedule() beside the same rows put by INSERT ... SELECT into tables with the same columns, keys, indexes, constraints
# and as many old rows, but no trigger and no record; and a day taken back beside the same rows deleted there.

rows_day() {
    local nodes
    make_floor >/dev/null || { say "no floor for the days"; return; }
    for nodes in "${DAYS[@]}"; do
        row "day-$nodes" ms floor 1.2 "making a day of $(count "$nodes") nodes"
        make_big_job "day_$nodes" "$nodes"
        rounds josch="josch_day day_$nodes" floor=floor_day
    done
    row day-next ms floor 1.2 "making the next day"
    row day-back ms floor 1.2 "taking that day back"
    rounds josch="josch_next day_${DAYS[0]}" floor=floor_next
}

# three parents for each node above the first of 20 levels; the first waits for a person, so that nothing is run. A tenth waits for
# itself on the day before. A command each, of the usual length.
make_big_job() {
    make_job "$1" layers "$2" exec_command "'/usr/bin/python3 step.py --date \$DATE --node \$NODE_ID'" S &&
        query "INSERT INTO josch.tpl_node_deps SELECT node_id, -1, node_id, 0 FROM josch.tpl_nodes WHERE job_name = '$1' AND node_id % 10 = 0"
}

# the tables of a day in a schema of their own, and in another one a place for the rows of a day
make_floor() {
    local table
    query "CREATE SCHEMA floor; CREATE SCHEMA copy" || return
    for table in jobs nodes node_deps; do
        query "CREATE TABLE floor.$table (LIKE josch.$table INCLUDING ALL); INSERT INTO floor.$table SELECT * FROM josch.$table;
            CREATE TABLE copy.$table (LIKE josch.$table)" || return
    done
    printf '%s \\gexec\n' "SELECT format('ALTER TABLE %s ADD %s', replace(conrelid::regclass::text, 'josch.', 'floor.'),
        replace(pg_get_constraintdef(oid), 'josch.', 'floor.')) FROM pg_constraint
        WHERE contype = 'f' AND conrelid = ANY ('{josch.jobs, josch.nodes, josch.node_deps}'::regclass[])" |
        as psql -XqAt -v ON_ERROR_STOP=1 -h "$HOME_DIR" -U postgres postgres || return
    query "ANALYZE"
}

# the last day that was made, as it is
copy_day() {
    query "TRUNCATE copy.jobs, copy.nodes, copy.node_deps; INSERT INTO copy.jobs SELECT * FROM josch.jobs WHERE job_date = '$1';
        INSERT INTO copy.nodes SELECT * FROM josch.nodes WHERE job_date = '$1'; INSERT INTO copy.node_deps SELECT * FROM josch.node_deps WHERE c_date = '$1'"
}

josch_day() {
    local date
    date=$(next_date)
    timed "SELECT * FROM josch.schedule('$date', '$1')"
    copy_day "$date"
}

floor_day() {
    timed "WITH j AS (INSERT INTO floor.jobs SELECT * FROM copy.jobs), n AS (INSERT INTO floor.nodes SELECT * FROM copy.nodes)
        INSERT INTO floor.node_deps SELECT * FROM copy.node_deps"
}

josch_next() {
    local date
    josch_day "$1" >/dev/null
    date=$(next_date)
    echo "$(josch_day "$1") $(timed "SELECT * FROM josch.unschedule('$date', '$1')")"
}

floor_next() {
    echo "$(floor_day) $(timed "WITH d AS (DELETE FROM floor.node_deps WHERE c_date = (SELECT job_date FROM copy.jobs)),
        n AS (DELETE FROM floor.nodes WHERE job_date = (SELECT job_date FROM copy.jobs)) DELETE FROM floor.jobs WHERE job_date = (SELECT job_date FROM copy.jobs)")"
}
