# scripts/python.sh
#
# A Python with other people's packages, for the suite python of scripts/check; sourced after lib.sh, never run.
#
# The constraint that shaped it: the machine's Python is not to learn of them. So there is a virtual environment in ASIDE, made once for a
# list of packages and a version of Python; what is tested goes into another one in the folder of the tests, which sees the first.
# The packages come from where pip is configured to look; with the environment there, nothing is asked of the network.

# set PYTHON_ENV to the environment of the packages of a file, made when it is not here; false, with the reason, when it cannot be
ensure_python_env() {
    local folder
    folder=$ASIDE/python/$({ cat "$1"; /usr/bin/python3 --version; } | sha256sum | cut -c 1-16)
    PYTHON_ENV=$folder
    [ ! -f "$folder/complete" ] || return 0
    say "Making a virtual environment with the packages of ${1#"$TOP/"}, once"
    as_root rm -rf "$folder" && as_root install -d -m 755 "$ASIDE" "$ASIDE/python" && as_root install -d -m 755 -o "$(id -un)" "$folder" || return
    (
        umask 022
        cd / && /usr/bin/python3 -m venv "$folder" && "$folder/bin/python" -m pip install -q -r "$1" && touch "$folder/complete"
    ) </dev/null
}

# Make HOME_DIR/python/env, which sees the packages, and install what HOME_DIR/src/python builds into it. No network.
install_python_package() {
    local env=$HOME_DIR/python/env packages
    packages=$("$PYTHON_ENV/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))') &&
        as "$PYTHON_ENV/bin/python" -m pip wheel -q --no-index --no-deps --no-build-isolation -w "$HOME_DIR/python/wheel" "$HOME_DIR/src/python" &&
        as /usr/bin/python3 -m venv --without-pip "$env" &&
        as "$PYTHON_ENV/bin/python" -m pip --python "$env/bin/python" install -q --no-index --no-deps "$HOME_DIR"/python/wheel/josch-*.whl &&
        echo "$packages" | as tee "$("$env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/packages.pth" >/dev/null
}
