# bench/rows/sort.sh
#
# The graph library: a topological sort of a random graph, three edges a node, beside a reading of the same edges.

rows_sort() {
    local nodes
    for nodes in "${DAYS[@]}"; do
        row "sort-$nodes" ms floor "" "sorting a graph of $(count "$nodes") nodes"
        query "DROP TABLE IF EXISTS edge;
            CREATE UNLOGGED TABLE edge AS SELECT least(a, b) AS a, greatest(a, b) AS b
            FROM (SELECT 1 + abs(hashint8extended(k, 1) % $nodes) AS a, 1 + abs(hashint8extended(k, 2) % $nodes) AS b
                  FROM generate_series(1, 3 * $nodes) k) e WHERE a <> b; ANALYZE edge" >/dev/null
        rounds floor=sort_read josch=sort_sort
    done
}

sort_read() { timed "SELECT sum(a + b) FROM edge"; }
sort_sort() { timed "SELECT count(*) FROM josch.dag_topological_sort('SELECT a, b FROM edge')"; }
