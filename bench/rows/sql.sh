# bench/rows/sql.sh
#
# SQL nodes beside a job queue whose tasks do the same statement.

rows_sql() {
    row sql "ms a node" graphile-worker 1 "$(count "$DUE") SQL nodes at once"
    make_job sql independent "$DUE" exec_sql "'SELECT 1'"
    rounds graphile-worker="each $DUE node_peer graphile.mjs wide $DUE" josch="each $DUE run_job sql"
    row sql-start ms graphile-worker "" "SQL, from ready to start, p50"
    row sql-start-p99 ms graphile-worker "" "SQL, from ready to start, p99"
    make_pairs sql-start exec_sql "'SELECT 1'"
    rounds graphile-worker="node_peer graphile.mjs single $SIGN_OFFS" josch="sign_one_by_one sql-start"
}
