# bench/rounds.sh
#
# How a row of the table is measured; sourced by bash, never run. The machine's own speed comes and goes by a factor of two, so
# JOSCH, floor and peers take turns, and what counts is the ratio of medians. A row that cannot be measured says why, and the
# bench goes on.

# a row is given up by the clock, not before its first round
ROUND_ROWS=()
BUDGET=${BUDGET:-240}

# row NAME UNIT BASE WANTED TITLE: a row of the table; WANTED is the ratio to BASE that JOSCH is to reach
row() {
    ROUND_ROWS+=("$1")
    (IFS=$'\t'; printf '%s\n' "$*") >>"$HOME_DIR/rows.tsv"
    say "$(date +%T) $5"
}

# a number as people read it
count() { sed -E ':a; s/([0-9])([0-9]{3})($|,)/\1,\2\3/; ta' <<<"$1"; }

sample() { printf '%s\t%s\t%s\n' "$@" >>"$HOME_DIR/samples.tsv"; }

# rounds WHO=COMMAND...: RUNS times each in turn. A COMMAND (words) prints as many numbers as rows have been declared since the
# last time (- where it has none), or "absent" and why.
rounds() {
    local start=$SECONDS i each who answer values
    for ((i = 0; i < RUNS && (i == 0 || SECONDS - start < BUDGET); i++)); do
        for each in "$@"; do
            who=${each%%=*}
            # shellcheck disable=SC2086 # a list of words
            answer=$(${each#*=} 2>>"$HOME_DIR/rounds.log")
            say "    $who: $answer"
            take_answer "$who" "$answer"
        done
    done
    ROUND_ROWS=()
}

take_answer() {
    local n values
    read -ra values <<<"$2"
    for ((n = 0; n < ${#ROUND_ROWS[@]}; n++)); do
        case ${values[0]:-} in
            absent) sample "${ROUND_ROWS[n]}" "$1" "${values[*]:1}"; continue ;;
        esac
        case ${values[n]:-} in
            -) ;;
            *) sample "${ROUND_ROWS[n]}" "$1" "${values[n]:-failed: $(tail -n 1 "$HOME_DIR/rounds.log" | tr '\t' ' ')}" ;;
        esac
    done
}

# each N COMMAND...: what it prints, where the first number is of N things, and wanted of one
each() {
    local n=$1 answer
    shift
    answer=$("$@") || return
    awk -v n="$n" '$1 != "absent" { $1 = sprintf("%.4f", $1 / n) } 1' <<<"$answer"
}

# --- jobs and days ----------------------------------------------------------------------------------------------------

# the pairs of a pattern of N nodes that are numbered from 0
pairs_of() {
    local n=$2 w=$(($2 / 20))
    case $1 in
        independent) echo "SELECT 0 AS p, 0 AS c WHERE false" ;;
        fan-out) echo "SELECT 0 AS p, i AS c FROM generate_series(1, $n - 1) i" ;;
        fan-in) echo "SELECT i AS p, $n - 1 AS c FROM generate_series(0, $n - 2) i" ;;
        layers) echo "SELECT (i / $w - 1) * $w + (i % $w + k) % $w AS p, i AS c FROM generate_series($w, $n - 1) i, generate_series(0, 2) k" ;;
        chain) echo "SELECT i - 1 AS p, i AS c FROM generate_series(1, $n - 1) i" ;;
    esac
}

# make_job JOB PATTERN N [COLUMNS VALUES [FIRST_TYPE]]: a job of N nodes; of another type is the first, then all that have no
# parent wait for it
make_job() {
    local base
    base=$(query "SELECT coalesce(max(node_id), 0) + 1 FROM josch.tpl_nodes")
    query "BEGIN;
        INSERT INTO josch.tpl_jobs (job_name, loaded_on) VALUES ('$1', '2000-01-01');
        INSERT INTO josch.tpl_nodes (node_id, job_name, node_name, node_type${4:+, $4})
            SELECT $base + i, '$1', 'node ' || i, 'N'${4:+, $5} FROM generate_series(0, $3 - 1) i;
        INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) SELECT $base + p, $base + c FROM ($(pairs_of "$2" "$3")) e;
        COMMIT" || return
    [ -z "${6:-}" ] || query "BEGIN;
        INSERT INTO josch.tpl_nodes (node_id, job_name, node_name, node_type) VALUES ($base + $3, '$1', 'gate', '$6');
        INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id)
            SELECT $base + $3, n.node_id FROM josch.tpl_nodes n WHERE n.job_name = '$1' AND n.node_id <> $base + $3
            AND NOT EXISTS (SELECT FROM josch.tpl_node_deps d WHERE d.c_node_id = n.node_id);
        COMMIT"
}

next_date() { query "SELECT coalesce(max(job_date), date '2001-12-31') + 1 FROM josch.jobs"; }

# wait_for STATEMENT: until it returns nothing but 0; five minutes at most. What fails ends it.
wait_for() {
    local left tries
    for ((tries = 0; tries < 1200; tries++)); do
        left=$(query "$1") || return
        [ "$left" != 0 ] || return 0
        sleep 0.25
    done
    echo "still $left: $1" >&2
    return 1
}

wait_day() { wait_for "SELECT count(*) FROM josch.nodes WHERE job_date = '$1' AND state <> 'succeeded'"; }

now_xid() { query "SELECT pg_current_xact_id()"; }

# ms from the first commit after XID, which made the day, to the last
since() { query "SELECT round(extract(epoch FROM max(committed_at) - min(committed_at)) * 1000, 3) FROM josch.audit_commits WHERE xid > '$1'"; }

# run_job JOB: ms from the commit of schedule() to the commit of the last change
run_job() {
    local date xid
    date=$(next_date) && xid=$(now_xid) && query "SELECT * FROM josch.schedule('$date', '$1')" >/dev/null && wait_day "$date" && since "$xid"
}

# a database that has a history: nodes that have run, of days long ago
age_database() {
    local day nodes=$((AGED / AGED_DAYS))
    say "$(date +%T) ageing the database: $AGED nodes in $AGED_DAYS days"
    make_job past layers "$nodes" || die "the past cannot be made"
    for ((day = 0; day < AGED_DAYS; day++)); do
        run_job past >/dev/null || die "the past does not run"
    done
    query "ANALYZE"
}
