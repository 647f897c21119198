# bench/rows/load.sh
#
# Templates from files: josch.load_csv() beside COPY of the same files into tables with the same columns, keys, indexes and
# constraints. The memory is what the session has of its own at most, looked at ten times a second.

rows_load() {
    row load ms floor 2 "loading $(count "$LOAD") nodes from files"
    row load-memory MB floor 2 "memory of that load"
    make_load_files || { say "no files to load"; return; }
    make_load_floor >/dev/null
    rounds josch="with_memory josch" floor="with_memory floor"
}

# as many dependencies as three a node: layers of a twentieth, and one of the level before the last
make_load_files() {
    local folder=$HOME_DIR/load
    as mkdir -p "$folder"
    as psql -Xq -v ON_ERROR_STOP=1 -h "$HOME_DIR" -U postgres postgres >/dev/null <<SQL
COPY (SELECT 'LOADED' AS var, 'yes' AS value) TO '$folder/environs.csv' (FORMAT csv, HEADER);
COPY (SELECT 'Load ' || i AS job_name, 'One of ten' AS job_desc FROM generate_series(0, 9) i) TO '$folder/tpl_jobs.csv' (FORMAT csv, HEADER);
COPY (SELECT 500000000 + i AS node_id, 'N' AS node_type, 'Load ' || i % 10 AS job_name, 'node ' || i AS node_name, '/usr/bin/python3 step.py --node ' || i AS exec_command,
    NULL AS signoff_time FROM generate_series(0, $LOAD - 1) i) TO '$folder/tpl_nodes.csv' (FORMAT csv, HEADER);
COPY (SELECT 500000000 + p AS p_node_id, 0 AS p_date, 500000000 + c AS c_node_id, 0 AS c_date FROM ($(pairs_of layers "$LOAD")) e) TO '$folder/tpl_node_deps.csv' (FORMAT csv, HEADER);
SQL
}

make_load_floor() {
    local table
    query "CREATE SCHEMA loaded"
    for table in environs tpl_jobs tpl_nodes tpl_node_deps; do
        query "CREATE TABLE loaded.$table (LIKE josch.$table INCLUDING ALL)"
    done
    query "ALTER TABLE loaded.tpl_nodes ADD FOREIGN KEY (job_name) REFERENCES loaded.tpl_jobs;
        ALTER TABLE loaded.tpl_node_deps ADD FOREIGN KEY (p_node_id) REFERENCES loaded.tpl_nodes, ADD FOREIGN KEY (c_node_id) REFERENCES loaded.tpl_nodes"
}

josch_clear() {
    query "DELETE FROM josch.tpl_node_deps WHERE c_node_id >= 500000000; DELETE FROM josch.tpl_nodes WHERE node_id >= 500000000;
        DELETE FROM josch.tpl_jobs WHERE job_name LIKE 'Load %'; DELETE FROM josch.environs WHERE var = 'LOADED'"
}

josch_load() { echo "SELECT * FROM josch.load_csv('$HOME_DIR/load');"; }

floor_clear() { query "TRUNCATE loaded.environs, loaded.tpl_jobs, loaded.tpl_nodes, loaded.tpl_node_deps"; }

floor_load() {
    local table
    echo "BEGIN;"
    for table in environs tpl_jobs tpl_nodes tpl_node_deps; do
        echo "COPY loaded.$table ($(head -n 1 "$HOME_DIR/load/$table.csv")) FROM '$HOME_DIR/load/$table.csv' (FORMAT csv, HEADER);"
    done
    echo "COMMIT;"
}

# with_memory WHOSE: ms of the statements of WHOSE_load, and the most MB that their session had of its own
with_memory() {
    local session=$HOME_DIR/session psql peak=0 now
    "$1_clear" || return
    rm -f "$session"
    { echo 'SELECT pg_backend_pid();'; echo '\timing on'; "$1_load"; } |
        as psql -XqAt -v ON_ERROR_STOP=1 -h "$HOME_DIR" -U postgres postgres >"$session" &
    psql=$!
    while kill -0 "$psql" 2>/dev/null; do
        now=$(sed -n 's/^RssAnon:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$(head -n 1 "$session")/status" 2>/dev/null)
        [ "${now:-0}" -le "$peak" ] || peak=$now
        sleep 0.1
    done
    wait "$psql" || return
    awk -v peak="$peak" '/^Time: / { ms += $2 } END { printf "%.1f %.1f\n", ms, peak / 1024 }' "$session"
}
