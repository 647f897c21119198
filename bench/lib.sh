# bench/lib.sh
#
# What the benches share; sourced by bash, never run. A private server is built from this tree and started with fsync on
# and JOSCH preloaded, in a folder of its own that goes away with the bench.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/lib.sh
. "$TOP/scripts/lib.sh"

RUNS=${RUNS:-5}

# build and install into a folder of the bench; sets HOME_DIR
bench_build() {
    ensure_packages
    HOME_DIR=$(private_folder bench) || exit 1
    trap bench_finish EXIT
    trap 'exit 130' INT TERM
    pg_paths "$HOME_DIR"
    copy_tree "$TOP"
    stage_postgresql
    cd "$HOME_DIR" || exit 1
    build_and_install >"$HOME_DIR/build.log" 2>&1 || { tail -n 40 "$HOME_DIR/build.log"; die "the build failed"; }
}

# bench_start [SETTING...]: build, and start a server
bench_start() {
    local data
    bench_build
    data=$HOME_DIR/data
    as initdb -A trust -U postgres -E UTF8 --no-locale --no-sync -D "$data" >/dev/null 2>&1 </dev/null || die "initdb failed"
    printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$HOME_DIR'" "shared_buffers = 1GB" "jit = off" "max_wal_size = 8GB" \
        "max_connections = 200" "max_worker_processes = 16" "shared_preload_libraries = 'josch'" "josch.work_directory = '/'" "$@" |
        as tee -a "$data/postgresql.conf" >/dev/null
    start_server
    query "CREATE EXTENSION josch" >/dev/null || die "the extension cannot be created"
}

start_server() {
    as pg_ctl -s -w -t 600 -D "$HOME_DIR/data" -l "$HOME_DIR/server.log" start </dev/null || die "the server does not start: $HOME_DIR/server.log"
}

# program_pids NAME: the processes of the bench that execute it
program_pids() {
    local pid
    for pid in $(processes_of "$HOME_DIR"); do
        case $(readlink "/proc/$pid/exe") in */"$1") echo "$pid" ;; esac
    done
}

query() { as timeout -k 10 1800 psql -XqAt -v ON_ERROR_STOP=1 -h "$HOME_DIR" -U postgres postgres -c "$1" </dev/null; }

# timed STATEMENT: milliseconds that it takes, with its commit
timed() {
    printf '\\timing on\n%s;\n' "$1" | as psql -XqAt -v ON_ERROR_STOP=1 -h "$HOME_DIR" -U postgres postgres |
        sed -nE 's/^Time: ([0-9.]+) ms.*/\1/p'
}

# median of the numbers on standard input
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

bench_finish() {
    trap - EXIT
    cd /
    end_processes_of "$HOME_DIR"
    rm -rf "$HOME_DIR"
}
