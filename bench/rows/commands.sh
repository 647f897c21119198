# bench/rows/commands.sh
#
# Commands: /bin/true, in a chain, side by side, and at one instant. Neither the floor nor make and ninja keep a record.

rows_chain() {
    local n
    for n in "${CHAINS[@]}"; do
        row "chain-$n" "ms a hop" floor 1.5 "\`/bin/true\` in a chain of $(count "$n")"
        make_job "chain_$n" chain "$n" exec_command "'/bin/true'"
        graph_file make chain "$n"
        graph_file ninja chain "$n"
        rounds floor="each $n floor hop $n $HOME_DIR/floor.pages" josch="each $n run_job chain_$n" \
            make="each $n peer_make chain" ninja="each $n peer_ninja chain"
    done
}

rows_wide() {
    local pattern
    for pattern in independent fan-out fan-in layers; do
        row "wide-$pattern" "ms a node" make 1.3 "$(count "$N") \`/bin/true\`: $pattern"
        make_job "wide_$pattern" "$pattern" "$N" exec_command "'/bin/true'"
        graph_file make "$pattern" "$N"
        graph_file ninja "$pattern" "$N"
        rounds floor="each $N floor spawn $N 2" josch="each $N run_job wide_$pattern" \
            make="each $N peer_make $pattern" ninja="each $N peer_ninja $pattern"
    done
}

rows_due() {
    row due ms floor 1.3 "$(count "$DUE") commands due at once: last start"
    make_job due independent "$DUE" exec_command "'/bin/true'" S
    rounds floor="floor spawn $DUE 2" josch="josch_due"
}

# from the instant to the last start; the commands wait for a sign-off, whose commit is that instant
josch_due() {
    local date xid
    date=$(next_date) && query "SELECT * FROM josch.schedule('$date', 'due')" >/dev/null || return
    wait_for "SELECT count(*) FROM josch.nodes WHERE job_date = '$date' AND node_name = 'gate' AND state <> 'signoff'" && xid=$(now_xid) || return
    query "SELECT josch.signoff(node_id, job_date) FROM josch.nodes WHERE job_date = '$date' AND node_name = 'gate'" >/dev/null && wait_day "$date" || return
    query "SELECT round(extract(epoch FROM (SELECT max(started_at) FROM josch.runs WHERE job_date = '$date')
        - (SELECT min(committed_at) FROM josch.audit_commits WHERE xid > '$xid')) * 1000, 3)"
}

floor() { "$HOME_DIR/floor" "$@"; }
