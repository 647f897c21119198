# bench/rows/milestones.sh
#
# Nodes that execute nothing: what the bookkeeping alone takes, beside a disk that takes each step and beside a job queue.

rows_milestones() {
    local n pattern
    for n in "${CHAINS[@]}"; do
        row "hop-$n" "ms a hop" floor 1.5 "milestones in a chain of $(count "$n")"
        make_job "hop_$n" chain "$n"
        rounds floor="each $n floor sync $n $HOME_DIR/floor.pages" josch="each $n run_job hop_$n"
    done
    for pattern in independent fan-out fan-in layers; do
        row "create-$pattern" ms pg-boss 0.33 "making $(count "$N") milestones: $pattern"
        row "milestones-$pattern" ms pg-boss 0.17 "ending $(count "$N") milestones: $pattern"
        make_job "milestones_$pattern" "$pattern" "$N"
        rounds josch="create_and_run milestones_$pattern" pg-boss="node_peer pgboss.mjs $pattern $N"
    done
}

# ms that schedule() takes, and from its commit to the last
create_and_run() {
    local date xid made
    date=$(next_date) && xid=$(now_xid) && made=$(timed "SELECT * FROM josch.schedule('$date', '$1')") && wait_day "$date" || return
    echo "$made $(since "$xid")"
}
