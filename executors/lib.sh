# executors/lib.sh
#
# What the programs of this folder share: what they tell the runner, what outlives them, at which pace they look, how signals are
# passed on, and how they end. Read by them, never run; plain sh.
#
# The constraint that shaped it: any of them may be killed at any moment while the other side goes on, and the next one takes over
# where it was. So all that counts is at the other side; the state file has how far the output was relayed, and is a help only.

set -uf
# The node's variables, before one of ours gets the name of one of them: eval "$ENVIRONMENT" where the command is handed on.
ENVIRONMENT=$(export -p)
NEWLINE='
'
: "${JOSCH_EXECUTOR_REPORT:=/dev/null}" "${JOSCH_EXECUTOR_OPTIONS:=}" "${JOSCH_REPORT:=/dev/null}" "${JOSCH_STOP_GRACE:=10}"
WORK=$(mktemp -d) || exit 125
: "${JOSCH_EXECUTOR_STATE:=$WORK/state}"
exec 3>&1

usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

# The words before the verb, a line each in GIVEN; --folder apart. What is left is the verb and the command: eval "$TAKE_WORDS"
GIVEN= FOLDER=
TAKE_WORDS='
while :; do
	case ${1-} in
		start | attach | stop) break ;;
		--help) usage; exit 0 ;;
		--folder) FOLDER=${2-}; shift ;;
		"") usage >&2; exit 125 ;;
		*) GIVEN=$GIVEN$1$NEWLINE ;;
	esac
	shift
done
VERB=$1
shift
[ "$VERB" != start ] || [ $# -gt 0 ] || { usage >&2; exit 125; }
[ -n "${JOSCH_EXECUTOR_RUN-}" ] || { echo "${0##*/}: JOSCH_EXECUTOR_RUN is not set: josch-runner starts this program" >&2; exit 125; }'

# --- what the runner is told ----------------------------------------------------------------------------------------

said_unreachable='not known' said_host=$said_unreachable said_reason=$said_unreachable

# say host|reason|unreachable TEXT: when it has changed
say() {
	eval "[ \"\$said_$1\" != \"\$2\" ]" || return 0
	eval "said_$1=\$2"
	printf '%s\n' "$1${2:+ $2}" >>"$JOSCH_EXECUTOR_REPORT"
}

unreachable() { say unreachable "${1:-no answer}"; }

reachable() {
	[ -n "$said_unreachable" ] || return 0
	said_unreachable=
	echo reachable >>"$JOSCH_EXECUTOR_REPORT"
}

last_line() { tail -n 1 "$1" | tr -d '\r'; }

# --- state: where the other side has it, and how far its output and its report were relayed ------------------------------

job=- out=0 report=0 mark=-

# What was being copied when the former was killed, the run's log tells: it has grown from MARK.
load() {
	[ ! -s "$JOSCH_EXECUTOR_STATE" ] || read -r job out report mark <"$JOSCH_EXECUTOR_STATE"
	[ "$mark" = - ] || [ "$(log_size)" -lt "$mark" ] || out=$((out + $(log_size) - mark))
	mark=-
}

# In place, by one write of always the same length: whoever is killed in it leaves the former or the new.
save() { printf '%-80s %20d %20d %20s\n' "$job" "$out" "$report" "$mark" 1<>"$JOSCH_EXECUTOR_STATE"; }

log_size() { stat -L -c %s /proc/self/fd/3; }

# Around what copies output to the log; the second with how much it was.
copying() { mark=$(log_size) && save; }
copied() { out=$((out + $1)) mark=- && save; }

# Wait until the former program is gone, with all that it had do something: of its kind one at a time.
alone() {
	exec 9>>"$JOSCH_EXECUTOR_STATE"
	until flock --nonblock 9; do
		pass_on
		nap
	done
	load
}

# relay out|report FILE: what is new in it, up to where it has come by now; false when nothing is
relay() {
	if [ "$1" = out ]; then from=$out; else from=$report; fi
	[ -s "$2" ] && size=$(($(wc -c <"$2") - from)) && [ "$size" -gt 0 ] || return 1
	if [ "$1" = out ]; then
		copying
		copy_part "$2" >&3
		copied "$size"
	else
		copy_part "$2" >>"$JOSCH_REPORT"
		report=$((report + size))
		save
	fi
}

copy_part() (
	trap '' TERM INT
	tail -c "+$((from + 1))" "$1" | head -c "$size"
)

# --- pace, in hundredths of a second -------------------------------------------------------------------------------------

PACE_FIRST=10 PACE_LAST=500
pace=$PACE_FIRST

now() {
	read -r now _ </proc/uptime
	now=${now%.*}${now#*.}
}

# Wait, longer each time; a signal ends it.
nap() {
	[ -z "$kill_at" ] || [ "$pace" -le 20 ] || [ "$asked" = KILL ] || pace=20
	sleep "$((pace / 100)).$(printf %02d $((pace % 100)))" 9>&- &
	wait $!
	kill $! 2>/dev/null
	pace=$((pace + pace / 5 + 1))
	[ "$pace" -le "$PACE_LAST" ] || pace=$PACE_LAST
}

# --- signals ---------------------------------------------------------------------------------------------------------------

terms=0 asked='' kill_at=''
trap 'terms=$((terms + 1))' TERM INT

# Hands on what we were told, by the caller's "ask TERM" and "ask KILL"; one that fails is tried again. KILL in time: after the
# runner's own nobody would ask for it.
pass_on() {
	[ "$terms" -gt 0 ] || return 0
	now
	[ -n "$kill_at" ] || kill_at=$((now + ${JOSCH_STOP_GRACE%.*} * 80))
	if [ "$terms" -gt 1 ] || [ "$now" -ge "$kill_at" ]; then
		[ "$asked" = KILL ] || { ask KILL && asked=KILL && pace=$PACE_FIRST; }
	elif [ -z "$asked" ]; then
		ask TERM && asked=TERM && pace=$PACE_FIRST
	fi
}

# The verb stop: KILL, asked for until the other side has heard it. What becomes of the run, attach says.
stop_run() {
	JOSCH_EXECUTOR_REPORT=/dev/null
	load
	until ask KILL; do
		nap
	done
	clear_away
	exit 0
}

# --- the end -----------------------------------------------------------------------------------------------------------------

clear_away() { rm -rf "$WORK"; }

# finish code|signal N: end as the command has ended, and say that this is so
finish() {
	clear_away
	echo ended >>"$JOSCH_EXECUTOR_REPORT"
	if [ "$1" = signal ]; then
		trap - TERM INT
		ulimit -c 0
		kill "-$2" $$
		exit $((128 + $2))
	fi
	exit "$2"
}

# unknown TEXT: how it ended cannot be known
unknown() {
	printf 'unknown %s\n' "$1" >>"$JOSCH_EXECUTOR_REPORT"
	echo "${0##*/}: $1" >&2
	clear_away
	exit 1
}

# refused TEXT: it has not been started, and cannot be
refused() {
	echo "${0##*/}: $1" >&2
	finish code 125
}
