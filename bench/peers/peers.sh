# bench/peers/peers.sh
#
# The programs that others use; sourced by bash, never run. What cannot be had is "absent", and its column stays empty.

PEERS=$TOP/bench/peers

# peers_prepare ROW...: what these rows are compared with
peers_prepare() {
    case " $* " in *" chain "* | *" wide "*) peers_programs ;; esac
    case " $* " in *" milestones "* | *" sql "*) peers_packages ;; esac
}

peers_programs() {
    command -v make >/dev/null && command -v ninja >/dev/null ||
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends make ninja-build </dev/null >"$HOME_DIR/peers.log" 2>&1
}

# pg-boss and graphile-worker, in a database of their own on the same server
peers_packages() {
    mkdir "$HOME_DIR/peers"
    cp "$PEERS"/*.mjs "$PEERS/package.json" "$HOME_DIR/peers/"
    command -v npm >/dev/null && (cd "$HOME_DIR/peers" && timeout 600 npm install --no-audit --no-fund) </dev/null >>"$HOME_DIR/peers.log" 2>&1 ||
        say "no pg-boss and graphile-worker: $(command -v npm >/dev/null && tail -n 1 "$HOME_DIR/peers.log" || echo npm is not there)"
    chmod -R a+rX "$HOME_DIR/peers"
    query "CREATE DATABASE peers"
}

# node_peer SCRIPT ARGUMENT...: what it prints
node_peer() {
    [ -x "$HOME_DIR/peers/node_modules/.bin/node" ] || { echo absent: not to be had; return; }
    (cd "$HOME_DIR/peers" && PGHOST=$HOME_DIR PGUSER=postgres PGDATABASE=peers timeout -k 10 600 node_modules/.bin/node "$@")
}

# graph_file make|ninja PATTERN N: N commands of /bin/true, and who waits for whom
graph_file() {
    query "SELECT 'n' || i, coalesce((SELECT string_agg('n' || p, ' ') FROM ($(pairs_of "$2" "$3")) e WHERE c = i), '')
        FROM generate_series(0, $3 - 1) i" | graph_"$1" >"$HOME_DIR/$2.$1"
}

graph_make() {
    awk -F '|' '{ all = all " " $1; print $1 ":" (" " $2) "\n\t@/bin/true" } END { print "all:" all "\n.PHONY: all" all "\n.DEFAULT_GOAL = all" }'
}

graph_ninja() {
    awk -F '|' 'BEGIN { print "rule run\n  command = /bin/true" } { print "build " $1 ": run " $2 }'
}

# peer_make PATTERN and peer_ninja PATTERN: ms to run it, two at a time
peer_make() {
    command -v make >/dev/null || { echo absent: not installed; return; }
    (cd "$HOME_DIR" && ms_of make -s -j2 -f "$1.make")
}

peer_ninja() {
    command -v ninja >/dev/null || { echo absent: not installed; return; }
    rm -f "$HOME_DIR/.ninja_log" "$HOME_DIR/.ninja_deps"
    (cd "$HOME_DIR" && ms_of ninja -j2 --quiet -f "$1.ninja")
}

# ms_of COMMAND...: wall time of a command
ms_of() {
    local start=$EPOCHREALTIME
    "$@" >/dev/null || return
    awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f\n", (b - a) * 1000 }'
}
