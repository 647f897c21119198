#!/bin/bash
# doc/screenshots.sh
#
# Take the pictures of the client that lie beside this script: builds JOSCH into a private PostgreSQL, runs a day there, opens the
# client on private X displays and photographs its windows (client/test/pictures.tcl). Touches nothing but doc/*.png.

set -u
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/lib.sh
. "$TOP/scripts/lib.sh"

NEEDED=(client display)
ensure_packages
HOME_DIR=$(private_folder pictures) || exit 1
trap 'cd /; end_processes_of "$HOME_DIR"; rm -rf "$HOME_DIR"' EXIT
pg_paths "$HOME_DIR"
copy_tree "$TOP"
stage_postgresql
build_and_install >"$HOME_DIR/build.log" 2>&1 || { tail -n 40 "$HOME_DIR/build.log"; die "JOSCH does not build"; }
as mkdir "$HOME_DIR/pictures" || die "cannot write $HOME_DIR"
RUN_ENV=(TMPDIR="$HOME_DIR")
cd "$HOME_DIR/src" || exit 1
as timeout -k 10 300 tclsh client/test/pictures.tcl "$HOME_DIR/pictures" </dev/null || die "the pictures could not be taken"
cp "$HOME_DIR"/pictures/*.png "$TOP/doc/" || die "cannot write $TOP/doc"
