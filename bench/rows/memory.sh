# bench/rows/memory.sh
#
# What scheduler and runner have of their own when so many nodes are ready and one command has the only place.

rows_memory() {
    local nodes
    query "ALTER SYSTEM SET josch.max_running = 1" && query "SELECT pg_reload_conf()" >/dev/null
    for nodes in "${MEMORY[@]}"; do
        row "memory-$nodes" MB "" "" "$(count "$nodes") nodes wait for a place"
        memory_of "$nodes" >/dev/null || say "no figures for $nodes nodes"
        ROUND_ROWS=()
    done
    query "ALTER SYSTEM RESET josch.max_running" && query "SELECT pg_reload_conf()" >/dev/null
}

# in a database of its own, which goes away with all that is ready in it
memory_of() {
    local pid
    query "CREATE DATABASE memory" || return
    (
        query() { as psql -XqAt -v ON_ERROR_STOP=1 -h "$HOME_DIR" -U postgres memory -c "$1" </dev/null; }
        query "CREATE EXTENSION josch" && make_job waiting independent "$1" exec_command "'exec sleep 30'" &&
            query "SELECT * FROM josch.schedule('2001-01-01', 'waiting')" && wait_for "SELECT 1 - count(*) FROM josch.nodes WHERE state = 'running'"
    ) || return
    pid=$(query "SELECT pid FROM pg_stat_activity WHERE datname = 'memory' AND backend_type = 'josch scheduler'")
    sample "memory-$1" scheduler "$(most_memory "$pid")"
    sample "memory-$1" runner "$(most_memory "$(program_pids josch-runner)")"
    query "DROP DATABASE memory WITH (FORCE)"
}

# most_memory PID: MB of its own, the most within some seconds
most_memory() {
    local i
    for ((i = 0; i < 20; i++)); do
        sed -n 's/^RssAnon:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$1/status"
        sleep 0.2
    done | sort -n | awk '{ last = $1 } END { printf "%.2f\n", last / 1024 }'
}
