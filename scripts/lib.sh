# scripts/lib.sh
#
# What scripts/check and scripts/demo share; sourced by bash, never run. It owns the packages that are needed and how
# they get there, the choice of a PostgreSQL, the private copy of it that gets the extension, and the user that runs it.
#
# The constraint that shaped it: the PostgreSQL of the system, and its clusters, are never touched. PostgreSQL finds its
# share and lib folders relative to its own binary; so a folder with copies of the binaries (a link would be resolved back)
# and links to all the rest is an installation of its own, into which `make install DESTDIR=` can put the extension.

# newest first; the first whose files are all there is taken
JOSCH_VERSIONS="${JOSCH_PG_VERSION:-19 18 17 16 15}"

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# --- packages -------------------------------------------------------------------------------------------------------

# where a PostgreSQL is unpacked whose installation would upgrade one that somebody may be using
ASIDE=/var/cache/josch

# is VERSION of PostgreSQL below ROOT, server, test tools and headers, and does it run?
pg_is_complete() {
    [ -x "$1/usr/lib/postgresql/$2/bin/postgres" ] && [ -x "$1/usr/lib/postgresql/$2/bin/pg_config" ] &&
        [ -x "$1/usr/lib/postgresql/$2/lib/pgxs/src/test/isolation/pg_isolation_regress" ] &&
        [ -f "$1/usr/include/postgresql/$2/server/postgres.h" ] &&
        "$1/usr/lib/postgresql/$2/bin/postgres" --version >/dev/null 2>&1
}

# Set PG_VERSION to the newest complete one, and PG_ROOT to where it lies: "" for the system's; false when there is none. One that
# was built here (elsewhere.sh) is taken by its name only.
pg_choose_installed() {
    for PG_VERSION in $JOSCH_VERSIONS; do
        for PG_ROOT in '' "$ASIDE" ${JOSCH_PG_VERSION:+"$ASIDE/built/$JOSCH_PG_VERSION"}; do
            pg_is_complete "$PG_ROOT" "$PG_VERSION" && return
        done
    done
    PG_VERSION=
    return 1
}

apt_offers() { LC_ALL=C apt-cache policy "$1" 2>/dev/null | grep -q '^  Candidate: [^(]'; }

# set PG_VERSION to what apt should install: the version whose server is here already, else the newest on offer
pg_choose_offered() {
    for PG_VERSION in $JOSCH_VERSIONS; do
        [ -x "/usr/lib/postgresql/$PG_VERSION/bin/postgres" ] && apt_offers "postgresql-server-dev-$PG_VERSION" && return
    done
    for PG_VERSION in $JOSCH_VERSIONS; do
        apt_offers "postgresql-$PG_VERSION" && apt_offers "postgresql-server-dev-$PG_VERSION" && return
    done
    PG_VERSION=
    return 1
}

# what else is needed than the server and its tests: client (Tcl/Tk), display (an X server and a hand on it, to test with), python (virtual environments),
# project (what makes a project of skeleton/)
NEEDED=()

# print the packages, PostgreSQL apart, of which something is missing
missing_packages() {
    [ -x /usr/bin/gcc ] || [ -x /usr/local/bin/gcc ] || echo gcc
    [ -f /usr/include/stdio.h ] || echo libc6-dev
    command -v make >/dev/null || echo make
    [ -x /usr/bin/python3 ] && /usr/bin/python3 -c 'import argparse, csv, http.server, statistics' 2>/dev/null || echo python3
    command -v prove >/dev/null && perl -MHTTP::Tiny -MJSON::PP -e 1 2>/dev/null || echo perl
    perl -MIPC::Run -e 1 2>/dev/null || echo libipc-run-perl
    command -v dot >/dev/null || echo graphviz
    case " ${NEEDED[*]} " in *' client '*) missing_client_packages ;; esac
    case " ${NEEDED[*]} " in *' display '*) missing_display_packages ;; esac
    case " ${NEEDED[*]} " in *' python '*) /usr/bin/python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv ;; esac
    case " ${NEEDED[*]} " in *' project '*) missing_project_packages ;; esac
}

missing_client_packages() {
    command -v wish >/dev/null || echo tk
    # tclsh says errors of its standard input, and goes on
    [ -n "$(echo 'puts [package require Pgtcl]' | tclsh 2>/dev/null)" ] || echo libpgtcl
    [ -f /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ] || echo fonts-dejavu-core
    # a terminal for josch watch, a repository for josch deploy, the man page
    for program in tmux git man; do
        command -v $program >/dev/null || echo $program | sed 's/^man$/man-db/'
    done
}

missing_project_packages() {
    [ -x /usr/bin/cookiecutter ] || echo cookiecutter
    command -v pipenv >/dev/null || echo pipenv
    command -v git >/dev/null || echo git
}

missing_display_packages() {
    command -v Xvfb >/dev/null || echo xvfb
    command -v xauth >/dev/null || echo xauth
    command -v xdotool >/dev/null || echo xdotool
    command -v xrdb >/dev/null || echo x11-xserver-utils
    command -v import >/dev/null || echo imagemagick
    [ -x /usr/sbin/pgbouncer ] || echo pgbouncer
}

# Other machines, for the suite cluster and scripts/demo --cluster: Slurm and an sshd. Their daemons are run by those that want them, as themselves
# and below a folder; being installed starts none, neither now nor with the machine.
ensure_cluster_packages() {
    local missing=() policy=/usr/sbin/policy-rc.d
    [ -x /usr/sbin/slurmctld ] || missing+=(slurmctld)
    [ -x /usr/sbin/slurmd ] || missing+=(slurmd)
    [ -x /usr/sbin/munged ] || missing+=(munge)
    [ -x /usr/sbin/sshd ] || missing+=(openssh-server)
    command -v sbatch >/dev/null || missing+=(slurm-client)
    command -v ssh >/dev/null || missing+=(openssh-client)
    [ -n "$(compgen -G '/usr/lib/*/libnss_wrapper.so' || compgen -G '/usr/lib*/libnss_wrapper.so')" ] || missing+=(libnss-wrapper)
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || die "missing: ${missing[*]}; there is no apt-get to install it with"
    say "Installing what is missing: ${missing[*]}"
    as_root apt-get update -q </dev/null >/dev/null || die "apt-get update failed"
    # none of them is to be started, nor to stay so; in a shell of its own, which takes the policy back whatever comes
    (
        if [ ! -e $policy ]; then
            trap 'as_root rm -f "$policy"' EXIT
            printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null && as_root chmod 755 $policy || exit
        fi
        apt_install "${missing[@]}" >/dev/null
    ) || die "could not be installed: ${missing[*]}"
    [ ! -d /run/systemd/system ] || as_root systemctl --quiet disable $(printf '%s\n' "${missing[@]}" | sed -n 's/^openssh-server$/ssh/p; /^slurm.*d$/p; /^munge$/p')
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# Print the servers that installing these packages would upgrade: they would be restarted, and with them somebody's clusters.
apt_upgraded_servers() {
    LC_ALL=C apt-get -s install --no-install-recommends "$@" 2>/dev/null |
        sed -n 's/^Inst \(postgresql-[0-9][0-9]*\) \[.*/\1/p'
}

apt_install() {
    local upgraded
    upgraded=$(apt_upgraded_servers "$@")
    [ -z "$upgraded" ] || die "installing $* would upgrade $upgraded, which is installed; upgrade it yourself, then come again"
    as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get install -y -q --no-install-recommends "$@" </dev/null ||
        die "apt-get could not install: $*"
}

# Install PostgreSQL with its server headers; or, where that would upgrade one that is in use, unpack it aside. Without the
# cluster "main" that the package makes otherwise: a setting that is there for the time of the installation only.
apt_install_postgresql() {
    local folder=/etc/postgresql-common/createcluster.d
    if [ -n "$(apt_upgraded_servers "$@")" ]; then
        unpack_aside "$@" "postgresql-client-$PG_VERSION"
        return
    fi
    as_root mkdir -p "$folder"
    echo 'create_main_cluster = false' | as_root tee "$folder/josch.conf" >/dev/null
    trap 'as_root rm -f /etc/postgresql-common/createcluster.d/josch.conf' EXIT
    apt_install "$@"
    as_root rm -f "$folder/josch.conf"
    trap - EXIT
}

# Unpack packages below ASIDE. PostgreSQL runs from any folder, and an older one of the same version that is installed has
# brought the libraries.
unpack_aside() {
    local package
    say "A PostgreSQL $PG_VERSION that is installed stays as it is; another is unpacked in $ASIDE"
    as_root rm -rf "$ASIDE.new" && as_root mkdir -p "$ASIDE.new" || die "cannot write $ASIDE.new"
    for package in "$@"; do
        as_root sh -c 'cd "$1" && apt-get download -q -o APT::Sandbox::User=root "$2" && dpkg -x "$2"_*.deb . && rm "$2"_*.deb' sh "$ASIDE.new" "$package" </dev/null ||
            die "apt-get could not download: $package"
    done
    as_root chmod -R a+rX "$ASIDE.new" && as_root mkdir -p "$ASIDE" && as_root rm -rf "$ASIDE/usr" && as_root mv "$ASIDE.new/usr" "$ASIDE/usr" && as_root rm -rf "$ASIDE.new" ||
        die "cannot write $ASIDE"
}

# Make sure that all that is needed is here, and set PG_VERSION and PG_ROOT. Nothing is asked of the network when nothing is missing.
ensure_packages() {
    local missing what
    missing=$(missing_packages | tr '\n' ' ')
    if pg_choose_installed; then
        [ -n "$missing" ] || return 0
        what=$missing
    else
        what="${missing}postgresql and postgresql-server-dev, one of the versions $JOSCH_VERSIONS"
    fi
    command -v apt-get >/dev/null || die "missing: $what; there is no apt-get to install it with"
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || die "missing: $what; install it as root, or install sudo"
    say "Installing what is missing: $what"
    as_root apt-get update -q </dev/null || die "apt-get update failed"
    # shellcheck disable=SC2086 # a list of words
    [ -z "$missing" ] || apt_install $missing
    pg_choose_installed || ensure_postgresql
}

# From apt; a version that is asked for by its name and is not on offer is built, where the caller knows how (elsewhere.sh).
ensure_postgresql() {
    if ! pg_choose_offered; then
        PG_VERSION=${JOSCH_PG_VERSION:-}
        if [ -n "$PG_VERSION" ] && declare -F choose_built_server >/dev/null && elsewhere_update; then
            choose_built_server || die "no PostgreSQL $PG_VERSION could be built"
            return
        fi
        add_pgdg
        pg_choose_offered || die "apt offers none of the PostgreSQL versions $JOSCH_VERSIONS"
    fi
    apt_install_postgresql "postgresql-$PG_VERSION" "postgresql-server-dev-$PG_VERSION"
    pg_choose_installed || die "a PostgreSQL is installed, but not whole"
}

# A distribution with only older versions (Ubuntu 22.04): use the PostgreSQL project's own packages.
add_pgdg() {
    local script=/usr/share/postgresql-common/pgdg/apt.postgresql.org.sh
    say "This distribution has no PostgreSQL of the versions $JOSCH_VERSIONS; adding apt.postgresql.org"
    apt_install postgresql-common ca-certificates gnupg
    [ -f "$script" ] || die "postgresql-common is too old to add apt.postgresql.org"
    as_root sh "$script" -y </dev/null || die "could not add apt.postgresql.org; install a PostgreSQL of these versions and its server headers, then come again"
}

# --- the private copy -----------------------------------------------------------------------------------------------

# Paths of the PostgreSQL of PG_VERSION and of its copy under HOME_DIR.
pg_paths() {
    PG_CONFIG=$PG_ROOT/usr/lib/postgresql/$PG_VERSION/bin/pg_config
    [ -x "$PG_CONFIG" ] || die "there is no $PG_CONFIG" # its answers are folders that are copied
    PG_BIN=$("$PG_CONFIG" --bindir)
    PG_LIB=$("$PG_CONFIG" --pkglibdir)
    PG_SHARE=$("$PG_CONFIG" --sharedir)
    PG_TEST=$PG_LIB/pgxs/src/test
    STAGE=$1/stage
}

# As root, PostgreSQL refuses to run: then all of it runs as nobody.
run_user() { [ "$(id -u)" = 0 ] && echo nobody || id -un; }

# as COMMAND...: run it as that user, with a clean environment; RUN_ENV adds to it
RUN_ENV=()
as() {
    local become=()
    [ "$(id -u)" != 0 ] || become=(setpriv --reuid nobody --regid nogroup --clear-groups)
    clean_env "$@"
}

# as_super COMMAND...: the same as root; sudo may not ask for a password here, as nobody is there to answer
as_super() {
    local become=()
    [ "$(id -u)" = 0 ] || become=(sudo -n)
    clean_env "$@"
}

clean_env() {
    "${become[@]}" env -i HOME="$HOME_DIR" PATH="$STAGE$PG_BIN:/usr/local/bin:/usr/bin:/bin" LC_ALL=C.UTF-8 \
        ${TZ:+TZ="$TZ"} "${RUN_ENV[@]}" "$@"
}

# Make a private folder that the run user can reach and that lets programs run; prints its path. A folder of a short name
# in one of the places for temporary files, since a socket's path must fit in 107 bytes.
private_folder() {
    local place folder
    for place in /tmp /var/tmp "${TMPDIR:-/tmp}"; do
        folder=$(mktemp -d "$place/josch-$1.XXXXXX" 2>/dev/null) || continue
        if own_folder "$folder"; then
            echo "$folder"
            return
        fi
        rm -rf "$folder"
    done
    die "no folder for temporary files is writable and lets programs run; set TMPDIR to one"
}

# give FOLDER to the run user; false when it cannot be reached, or programs in it cannot run
own_folder() {
    local HOME_DIR=$1 STAGE='' PG_BIN=''
    chmod 755 "$1" || return
    printf '#!/bin/sh\nexit 0\n' >"$1/probe" && chmod 755 "$1/probe" || return
    [ "$(id -u)" != 0 ] || chown nobody:nogroup "$1" || return
    as "$1/probe" 2>/dev/null || return
    rm -f "$1/probe"
}

# Copy the working tree, without what was built in it, to HOME_DIR/src. A clone may lie where the run user cannot read it, and
# a build by one user must not stand in the way of another's. What did not change keeps its time, so that make works on.
copy_tree() {
    local from=$1 to=$HOME_DIR/src
    mkdir -p "$to.new"
    tar -C "$from" --format=posix --exclude=./.git --exclude=./.demo --exclude=./.check --exclude=./.mutate --exclude='*.o' --exclude='*.so' --exclude='*.bc' \
        --exclude=./josch-runner --exclude='./test/unit/*_test' --exclude=./josch--*.sql --exclude=__pycache__ -cf - . | tar -C "$to.new" --no-same-owner -xf - ||
        die "could not copy the tree to $to"
    chmod -R u+rwX,a+rX "$to.new"
    if [ -d "$to" ]; then
        # the objects of the last build, for what is older than they are
        (cd "$to" && find . \( -name '*.o' -o -name josch-runner \) -type f -exec cp -p --parents {} "$to.new" \;)
        rm -rf "$to"
    fi
    mv "$to.new" "$to"
    [ "$(id -u)" != 0 ] || chown -R nobody:nogroup "$to"
}

# Make the private copy of PostgreSQL. When that is another one than the last time, or lies elsewhere, what was built for the
# last one is of no use: its headers were others.
stage_postgresql() {
    local version
    version="$("$PG_BIN/postgres" --version) in $PG_BIN of $(stat -c %Y "$PG_BIN/postgres")"
    [ "$(cat "$STAGE.version" 2>/dev/null)" != "$version" ] || return 0
    rm -rf "$STAGE"
    find "$HOME_DIR/src" \( -name '*.o' -o -name '*.so' -o -name josch-runner \) -type f -delete
    mkdir -p "$STAGE$PG_BIN" "$STAGE$PG_LIB" "$STAGE$PG_SHARE"
    cp -a "$PG_BIN/." "$STAGE$PG_BIN/" && cp -as "$PG_LIB/." "$STAGE$PG_LIB/" && cp -as "$PG_SHARE/." "$STAGE$PG_SHARE/" ||
        die "could not copy PostgreSQL $PG_VERSION to $STAGE"
    # a JOSCH that is installed in the system is not the one to be run
    rm -rf "$STAGE$PG_LIB"/josch* "$STAGE$PG_SHARE"/extension/josch*
    [ "$(id -u)" != 0 ] || chown -R nobody:nogroup "$STAGE"
    echo "$version" >"$STAGE.version"
}

# Other schedulers for PostgreSQL, whose jobs are imported: fetched once, unpacked aside, and put into the private copy.
# pgagent is packaged with one version of PostgreSQL; what is taken of it is SQL, which all read.
NEIGHBOURS=(postgresql-VERSION-cron pgagent)
stage_neighbours() {
    local name folder=$ASIDE/neighbours/$PG_VERSION part
    for name in "${NEIGHBOURS[@]/VERSION/$PG_VERSION}"; do
        if [ ! -d "$folder/$name" ]; then
            apt_offers "$name" || { say "There is no $name to be had"; continue; }
            as_root rm -rf "$folder/$name.new" && as_root mkdir -p "$folder/$name.new" || die "cannot write $folder"
            as_root sh -c 'cd "$1" && apt-get download -q -o APT::Sandbox::User=root "$2" && dpkg -x "$2"_*.deb . && rm "$2"_*.deb' sh "$folder/$name.new" "$name" </dev/null ||
                die "apt-get could not download: $name"
            as_root chmod -R a+rX "$folder/$name.new" && as_root mv "$folder/$name.new" "$folder/$name" || die "cannot write $folder"
        fi
        for part in "$folder/$name"/usr/lib/postgresql/*/lib; do
            [ ! -d "$part" ] || as cp -r "$part/." "$STAGE$PG_LIB/" || die "could not copy $name to $STAGE"
        done
        for part in "$folder/$name"/usr/share/postgresql/*; do
            as cp -r "$part/." "$STAGE$PG_SHARE/" || die "could not copy $name to $STAGE"
        done
    done
}

# build_and_install [MAKE VARIABLE...]: build HOME_DIR/src and install it into the private copy
build_and_install() {
    # without bitcode: quicker, and no clang is needed
    as timeout -k 10 900 make -s -C "$HOME_DIR/src" PG_CONFIG="$PG_CONFIG" with_llvm=no "$@" all </dev/null || return
    as timeout -k 10 120 make -s -C "$HOME_DIR/src" PG_CONFIG="$PG_CONFIG" with_llvm=no "$@" DESTDIR="$STAGE" install </dev/null
}

# --- the processes that were started ----------------------------------------------------------------------------------

# Print the ids of the processes whose program lies in FOLDER, or that work there without a terminal: the commands of nodes
# have none, and a person's shell has one.
processes_of() {
    local folder proc exe cwd stat
    folder=$(readlink -f "$1") || return 0
    for proc in /proc/[0-9]*; do
        [ "$proc" != "/proc/$$" ] && [ "$proc" != "/proc/$PPID" ] || continue
        exe=$(readlink "$proc/exe" 2>/dev/null) || continue
        case $exe in "$folder"/*) echo "${proc#/proc/}"; continue ;; esac
        cwd=$(readlink "$proc/cwd" 2>/dev/null) || continue
        case $cwd/ in "$folder"/*) ;; *) continue ;; esac
        read -r stat 2>/dev/null <"$proc/stat" || continue
        # after the name in brackets: state, parent, group, session, terminal
        read -r _ _ _ _ stat _ <<<"${stat##*) }"
        [ "$stat" != 0 ] || echo "${proc#/proc/}"
    done
}

# end all of them, TERM first
end_processes_of() {
    local tries pids
    for tries in 1 2 3 4 5 6 7 8 9 10 11 12; do
        pids=$(processes_of "$1")
        [ -n "$pids" ] || return 0
        case $tries in
            1) kill $pids 2>/dev/null ;;
            8) kill -9 $pids 2>/dev/null ;;
        esac
        sleep 0.3
    done
}
