# scripts/elsewhere.sh
#
# A PostgreSQL that the machine's own apt does not offer: headers of other versions, to build against, and a server that is
# built to find faults. Sourced after lib.sh, never run.
#
# The constraint that shaped it: the machine's apt is not to learn of other suites. So there is a second apt beside it, with
# lists and sources of its own, which it derives from the mirror that the machine uses. What was fetched is kept in ASIDE;
# without the network that is what there is.

ELSEWHERE=$ASIDE/elsewhere
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

# Print the folder of the server headers of VERSION, fetched when they are not here; false when they are not to be had.
server_headers() {
    local found=$ELSEWHERE/$1/usr/include/postgresql/$1/server root
    for root in '' "$ASIDE"; do
        [ ! -f "$root/usr/include/postgresql/$1/server/postgres.h" ] || { echo "$root/usr/include/postgresql/$1/server"; return; }
    done
    if [ ! -f "$found/postgres.h" ]; then
        elsewhere_unpack "postgresql-server-dev-$1" "$ELSEWHERE/$1" >&2 || return
        # configured for a newer C library than may be here
        printf '#include <string.h>\nint main(void) { char c[2]; return (int) strlcpy(c, "", 2); }\n' |
            gcc -Werror -x c - -o /dev/null 2>/dev/null ||
            as_root sed -i -E 's/^#define (HAVE_DECL_STRL(CPY|CAT)) 1/#define \1 0/' "$found/pg_config.h"
    fi
    echo "$found"
}

# --- a server that finds faults -------------------------------------------------------------------------------------

CHECKED=$ASIDE/checked

# Make PG_VERSION and PG_ROOT those of a server that is built with assertions: freed memory is overwritten and the ends of
# chunks are watched, so that a use after free shows, as it does nowhere in a packaged server. Built once, from the source package.
choose_checked_server() {
    local work
    if ! [ -x "$CHECKED/usr/lib/postgresql/$PG_VERSION/bin/postgres" ]; then
        say "Building PostgreSQL $PG_VERSION with assertions, once; this takes some minutes"
        work=$(private_folder checked) || exit 1
        build_checked_server "$work" >"$work/log" 2>&1 || { tail -n 30 "$work/log"; die "no PostgreSQL $PG_VERSION with assertions; the log is $work/log"; }
        as_root rm -rf "$work"
    fi
    PG_ROOT=$CHECKED
}

# build_checked_server FOLDER: from the source package of the machine's own suite
build_checked_server() {
    local HOME_DIR=$1 STAGE='' PG_BIN='' prefix=$CHECKED/usr/lib/postgresql/$PG_VERSION
    elsewhere_update && (cd "$1" && elsewhere_apt apt-get source --download-only "postgresql-$PG_VERSION") || return
    as mkdir "$1/source" "$1/build" && as tar -C "$1/source" --strip-components=1 -xf "$1"/*.orig.tar.* || return
    if [ ! -f "$1/source/src/backend/parser/gram.c" ]; then
        apt_install bison flex perl || return
    fi
    as sh -c 'cd "$1/build" && ../source/configure -q --prefix="$2" --enable-cassert --enable-debug --enable-tap-tests \
        --without-readline --without-zlib --without-icu CFLAGS="-O1 -g"' sh "$1" "$prefix" || return
    as make -s -C "$1/build" -j2 all </dev/null && as_root rm -rf "$CHECKED.new" &&
        as_root make -s -C "$1/build" install DESTDIR="$CHECKED.new" </dev/null &&
        as_root rm -rf "$CHECKED" && as_root mv "$CHECKED.new$CHECKED" "$CHECKED" && as_root rm -rf "$CHECKED.new"
}
