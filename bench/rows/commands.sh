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
    make_job due independent "$DUE" exec_command "'/bin/true'"
    query "UPDATE josch.tpl_jobs SET time_zone = 'UTC' WHERE job_name = 'due'"
    rounds floor="floor spawn $DUE 2" josch="josch_due"
}

# From the instant to the last start. A day of this week each round: start_time is within seven days.
josch_due() {
    local date
    date=$(query "SELECT (now() AT TIME ZONE 'UTC')::date - 6 + count(*)::int FROM josch.jobs WHERE job_name = 'due'") || return
    query "UPDATE josch.tpl_nodes SET start_time = make_interval(secs => floor(extract(epoch FROM now() AT TIME ZONE 'UTC' - timestamp '$date')) + 5)
        WHERE job_name = 'due'" && query "SELECT * FROM josch.schedule('$date', 'due')" >/dev/null && wait_day "$date" || return
    query "SELECT round(extract(epoch FROM max(r.started_at) - min(n.due_at)) * 1000, 3)
        FROM josch.nodes n JOIN josch.runs r USING (run_id) WHERE n.job_date = '$date' AND n.job_name = 'due'"
}

floor() { "$HOME_DIR/floor" "$@"; }
