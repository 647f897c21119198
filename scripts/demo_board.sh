# scripts/demo_board.sh
#
# The day as scripts/demo shows it, and the person whom it plays; sourced by it. On a terminal the board stands below all
# that was printed and is drawn anew when it changes; elsewhere each change is a line.
#
# All that it knows comes from the views josch.board and josch.attention, and all that it does is a call that is printed.

BOARD_LINES=0
BOARD_LAST=
declare -A SEEN_STATE ASKED

board_rows() {
    need -F $'\t' -c "SELECT b.node_id, b.node_type, b.job_name, b.node_name, b.state, to_char(b.state_since, 'HH24:MI:SS')
                      FROM josch.board b JOIN josch.nodes n USING (node_id, job_date)
                      WHERE b.job_date = '$DAY' ORDER BY n.level, b.node_id"
}

# take the board off the screen, so that a line can be printed above it
board_lift() {
    [ "$BOARD_LINES" = 0 ] || printf '\033[%dA\033[J' "$BOARD_LINES"
    BOARD_LINES=0
    BOARD_LAST=
}

state_colour() {
    case $1 in
        running) echo '1;36' ;;
        up) echo '36' ;;
        succeeded) echo '32' ;;
        signoff | review) echo '1;33' ;;
        failed | unknown) echo '1;31' ;;
        *) echo '90' ;;
    esac
}

board_draw() {
    local id type job name state since
    [ "$1" != "$BOARD_LAST" ] || return 0
    board_lift
    printf '\033[1m  %s  %-9s %-24s %-10s %s\033[0m\n' "$DAY" job node state since
    BOARD_LINES=1
    while IFS=$'\t' read -r id type job name state since; do
        printf '  %-10s  %-9s %-24s \033[%sm%-10s\033[0m %s\n' "$id $type" "$job" "$name" "$(state_colour "$state")" "$state" "$since"
        BOARD_LINES=$((BOARD_LINES + 1))
    done <<<"$1"
    BOARD_LAST=$1
}

board_print_changes() {
    local id type job name state since
    while IFS=$'\t' read -r id type job name state since; do
        [ "${SEEN_STATE[$id]:-}" != "$state" ] || continue
        say "$since  $id $name: ${SEEN_STATE[$id]:+${SEEN_STATE[$id]} -> }$state"
        SEEN_STATE[$id]=$state
    done <<<"$1"
}

board_show() {
    if [ -t 1 ]; then
        board_draw "$1"
    else
        board_print_changes "$1"
    fi
}

# Follow the day until every node has succeeded.
run_day() {
    local rows started=$SECONDS
    trap 'board_lift; say; say "The day goes on without you."; how_to_connect; exit 130' INT TERM
    while :; do
        rows=$(board_rows) || exit 1
        board_show "$rows"
        [ "$(cut -f5 <<<"$rows" | sort -u)" != succeeded ] || break
        if ! decide && ! stop_servers "$rows"; then
            [ "$MANUAL" = 1 ] || [ $((SECONDS - started)) -lt "$TIME_LIMIT" ] || die "the day is not done after $TIME_LIMIT s"
            sleep 0.3
        fi
    done
    trap - INT TERM
    BOARD_LINES=0
}

# Whatever waits for a person is decided here, or shown to the person; true when something was decided.
decide() {
    local rows id name state acts decided=1
    rows=$(need -F $'\t' -c "SELECT node_id, node_name, state, array_to_string(acts, ' ') FROM josch.attention
                             WHERE job_date = '$DAY' ORDER BY since, node_id") || exit 1
    while IFS=$'\t' read -r id name state acts; do
        [ -n "$id" ] || continue
        case $state in
            failed | unknown) node_failed "$id" "$name" "$state" && continue ;;
            review) show_output "$id" "The report of $name:" ;;
        esac
        if [ "$MANUAL" = 1 ]; then
            ask "$id" "$name" "$state" "$acts"
        elif [ "$state" = signoff ]; then
            pause
            call "SELECT josch.signoff($id, '$DAY', 'seen, all quiet')"
            decided=0
        else
            pause
            call "SELECT josch.approve($id, '$DAY', 'the warnings were looked at')"
            decided=0
        fi
    done <<<"$rows"
    return $decided
}

# the servers are stopped, once each, when all else is done; true when something was stopped
stop_servers() {
    local id type job name state since stopped=1
    case $(cut -f5 <<<"$1" | sort -u | tr '\n' ' ') in
        'succeeded up ' | 'up ') ;;
        *) return 1 ;;
    esac
    while IFS=$'\t' read -r id type job name state since; do
        if [ "$state" != up ]; then
            continue
        elif [ "$MANUAL" = 1 ]; then
            ask "$id" "$name" "$state" stop
        elif [ "${ASKED[$id]:-}" != up ]; then
            pause
            call "SELECT josch.stop($id, '$DAY', 'the day is over')" && ASKED[$id]=up
            stopped=0
        fi
    done <<<"$1"
    return $stopped
}

# give somebody who watches the time to see the board
pause() { [ ! -t 1 ] || sleep 1; }

# show once what a node wrote
show_output() {
    local out
    [ -z "${ASKED[$1.output]:-}" ] || return 0
    ASKED[$1.output]=1
    out=$(need -c "SELECT josch.log(run_id) FROM josch.nodes WHERE node_id = $1 AND job_date = '$DAY' AND run_id IS NOT NULL") || exit 1
    board_lift
    say "$2"
    sed 's/^/    /' <<<"$out"
}

# A failed node ends the demonstration, unless a person is there to decide.
node_failed() {
    show_output "$1" "Node $1 \"$2\" is $3. It wrote:"
    [ "$MANUAL" = 1 ] && return 1
    need -c "SELECT message FROM josch.nodes WHERE node_id = $1 AND job_date = '$DAY'"
    how_to_connect
    die "node $1 \"$2\" is $3"
}

# Tell the person, once for each time a node comes to wait, what waits and what can be called: ask ID NAME STATE FUNCTIONS
ask() {
    local verb
    [ "${ASKED[$1]:-}" != "$3" ] || return 0
    ASKED[$1]=$3
    board_lift
    say "Node $1 \"$2\" is $3 and waits for you:"
    for verb in $4; do
        say "    SELECT josch.$verb($1, '$DAY', 'why');"
    done
}
