# scripts/demo_desk.sh
#
# scripts/demo desk: three days of the desk in tables/desk/, across Easter, and the people of the desk as scripts/demo
# plays them; sourced by it. Nobody waits for a time: the clock of the server (josch.now) is moved to the next moment that
# matters. Then it waits until the scheduler has done what is due, and prints each change of the board as a line.

DESK_DAYS="2026-04-02 2026-04-07 2026-04-08"
declare -A DESK_SEEN

run_desk() {
    trap 'say; say "The desk is left as it is, and its clock stands still."; how_to_connect; exit 130' INT TERM
    call "CREATE EXTENSION josch"
    export PGTZ=Europe/London
    desk_clock '2026-04-02 05:00'
    call "SELECT * FROM josch.load_csv('$HOME_DIR/tables/desk')"
    call "UPDATE josch.environs SET value = '$HOME_DIR/desk' WHERE var = 'DESK'"
    desk_dawn 2026-04-02
    desk_morning 2026-04-02
    desk_night 2026-04-02 2026-04-03
    desk_easter
    desk_dawn 2026-04-07
    desk_why 300100 2026-04-07
    desk_sign 300900 2026-04-02
    desk_morning 2026-04-07 wrong
    desk_night 2026-04-07 2026-04-08
    desk_sign 300900 2026-04-07
    desk_dawn 2026-04-08
    desk_morning 2026-04-08
    desk_night 2026-04-08 2026-04-09
    desk_sign 300900 2026-04-08
    trap - INT TERM
    desk_end
}

# --- the days of the desk -----------------------------------------------------------------------------------------------

# The start of a day makes itself at 06:00.
desk_dawn() {
    desk_clock "$1 06:00"
    desk_until "Desk_Sod of $1 makes itself" "SELECT count(*) = 1 FROM josch.jobs WHERE job_name = 'Desk_Sod' AND job_date = '$1'"
}

# What it does when the night before it is signed off; with "wrong" the broker's file is, at first.
desk_morning() {
    local day=$1
    desk_until "the file of the broker is waited for" "SELECT reason = 'file' FROM josch.why(300120, '$day') WHERE depth = 0"
    desk_why 300120 "$day"
    desk_download "$day"
    desk_clock "$day 06:40"
    desk_broker "$day" ${2:+--$2}
    [ -z "${2:-}" ] || desk_break "$day"
    desk_state 300120 "$day" succeeded
    desk_state 300130 "$day" omitted succeeded
    desk_why 300190 "$day"
    desk_clock "$day 07:00"
    desk_sign 300190 "$day"
}

# The prices are tried again by themselves: the clock goes to each next attempt.
desk_download() {
    local next
    while desk_until "the download ends, or waits for its next attempt" "SELECT state = 'succeeded' OR state = 'ready' AND not_before > josch.now()
                      FROM josch.nodes WHERE node_id = 300110 AND job_date = '$1'"; do
        next=$(need -c "SELECT to_char(not_before AT TIME ZONE 'Europe/London', 'YYYY-MM-DD HH24:MI:SS') FROM josch.nodes
                        WHERE node_id = 300110 AND job_date = '$1' AND state = 'ready'") || exit 1
        [ -n "$next" ] || break
        desk_clock "$(desk_second_after "$next")"
    done
}

# What the broker sends arrives, by another program, under its name once it is whole.
desk_broker() {
    say "The broker's file arrives:$(as python3 "$HOME_DIR/tables/desk/desk.py" broker --date "$1" --folder "$HOME_DIR/desk" "${@:2}" | sed 's/^/ /')"
}

# What does not agree: the failure branch makes its list by itself, a person goes on when the broker has sent another file.
desk_break() {
    desk_state 300130 "$1" succeeded
    desk_why 300190 "$1"
    say "The list of the failure branch:"
    sed 's/^/    /' "$HOME_DIR/desk/out/breaks_${1//-/}.csv"
    desk_broker "$1"
    call "SELECT josch.retry(300120, '$1', 'the broker has sent another file')"
}

# The end of a day makes itself at 22:00, and ends after midnight.
desk_night() {
    local day=$1 next=$2 waiting
    desk_clock "$day 22:00"
    desk_until "one of two waits for the database, or both are done" "SELECT count(*) FILTER (WHERE n.state = 'succeeded') = 2 OR bool_or(w.reason = 'semaphore')
                FROM josch.nodes n, josch.why(n.node_id, n.job_date) w WHERE n.node_id IN (300810, 300820) AND n.job_date = '$day' AND w.depth = 0"
    waiting=$(need -c "SELECT format('    why %s? %s', n.node_name, w.detail) FROM josch.nodes n, josch.why(n.node_id, n.job_date) w
                       WHERE n.node_id IN (300810, 300820) AND n.job_date = '$day' AND w.depth = 0 AND w.reason = 'semaphore'") || exit 1
    [ -z "$waiting" ] || say "$waiting"
    desk_until "the day's work of the night waits for its time" "SELECT state = 'ready' FROM josch.nodes WHERE node_id = 300830 AND job_date = '$day'"
    desk_why 300830 "$day"
    desk_clock "$next 00:30"
    desk_state 300900 "$day" signoff
}

# Nobody signs on Friday, and nothing happens until Tuesday.
desk_easter() {
    call "SELECT r.day, to_char(r.day, 'Dy') AS on, r.open, r.decided_by, r.by_calendar FROM josch.calendar_reasons('Desk', '2026-04-02', '2026-04-07') r"
    desk_clock '2026-04-04 22:00'
    desk_clock '2026-04-06 22:00'
}

# The last word of the desk: what became of the days, and what is on record.
desk_end() {
    local day bad
    say
    call "SELECT job_date, job_name, outcome FROM josch.job_days ORDER BY due_at"
    call "SELECT job_date, node_name, state, attempt, action, comment FROM josch.board ORDER BY job_date, node_id"
    for day in $DESK_DAYS; do
        need -F '  ' -c "SELECT n.job_date, to_char(h.at AT TIME ZONE 'Europe/London', 'Dy HH24:MI'), rpad(n.node_name, 14), h.sentence
            FROM josch.nodes n, josch.history(n.node_id, n.job_date) WITH ORDINALITY h
            WHERE n.job_date = '$day' ORDER BY h.at, n.node_id, h.ordinality" || exit 1
    done >"$DEMO/history.txt"
    call "SELECT to_char(h.at AT TIME ZONE 'Europe/London', 'Dy HH24:MI') AS at, h.sentence FROM josch.history(300120, '2026-04-07') h"
    bad=$(need -c "SELECT count(*) FROM josch.nodes WHERE state NOT IN ('succeeded', 'omitted')") || exit 1
    [ "$bad" = 0 ] || die "$bad nodes have not succeeded"
    say "
Three days of the desk are done; its clock stands at the end of the last.
    history   $SHOWN/history.txt
    files     $SHOWN/home/desk/out"
    how_to_connect
}

# --- the clock, and what is seen ------------------------------------------------------------------------------------------

# Set the clock of the whole server: desk_clock 'YYYY-MM-DD HH:MI', in London
desk_clock() {
    local now=
    need -c "ALTER SYSTEM SET josch.now = '$1 Europe/London'" || exit 1
    need -c "SELECT pg_reload_conf()" >/dev/null || exit 1
    until [ "$now" = t ]; do
        now=$(need -c "SELECT josch.now() = '$1 Europe/London'") || exit 1
    done
    say "
--- $(need -c "SELECT to_char(timestamp '$1', 'FMDay FMDD FMMonth, HH24:MI')") ---"
}

desk_second_after() { need -c "SELECT to_char(timestamp '$1' + interval '1 second', 'YYYY-MM-DD HH24:MI:SS')"; }

# print what has changed since the last look
desk_show() {
    local key name state rows
    rows=$(need -F $'\t' -c "SELECT b.job_date || ' ' || b.node_id, b.node_name, b.state || coalesce(': ' || b.message, '')
                             FROM josch.board b ORDER BY b.job_date, b.change_id, b.node_id") || exit 1
    while IFS=$'\t' read -r key name state; do
        [ -n "$key" ] && [ "${DESK_SEEN[$key]:-}" != "$state" ] || continue
        say "  $key $name: $state"
        DESK_SEEN[$key]=$state
    done <<<"$rows"
}

# wait until a question is answered with true: desk_until WHAT QUERY
desk_until() {
    local started=$SECONDS answer
    while :; do
        answer=$(need -c "$2") || exit 1
        desk_show
        [ "$answer" != t ] || return 0
        [ $((SECONDS - started)) -lt "$TIME_LIMIT" ] || { how_to_connect; die "this has not come true within $TIME_LIMIT s: $1"; }
        sleep 0.1
    done
}

# wait until a node has come to one of these states: desk_state NODE DAY STATE ...
desk_state() {
    local states="'${*:3}'"
    desk_until "node $1 of $2 is ${*:3}" "SELECT state = ANY (string_to_array($states, ' ')) FROM josch.nodes WHERE node_id = $1 AND job_date = '$2'"
}

desk_why() { call "SELECT reason, detail FROM josch.why($1, '$2') WHERE depth = 0"; }

# a sign-off, as soon as it is asked for
desk_sign() {
    desk_state "$1" "$2" signoff
    call "SELECT josch.signoff($1, '$2', 'seen, all quiet')"
    desk_state "$1" "$2" succeeded
}
