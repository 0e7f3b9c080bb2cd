#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Make the virtual environment, also where Debian's python3-venv is missing.
# usage: setup-venv.sh PYTHON FOLDER
set -eu
python=$1
venv=$2

"$python" - <<'PY' || exit 1
import sys
if sys.version_info < (3, 11):
    sys.exit(
        f"setup: Python {sys.version.split()[0]} is too old: Menshen needs 3.11 or "
        "newer. Name another one: make setup PYTHON=/path/to/python3.11"
    )
PY

# A working environment of this very Python is kept: only its packages change.
wanted=$("$python" -c 'import sys; print(sys.version)')
if [ "$("$venv/bin/python" -c 'import sys; print(sys.version)' 2>&1)" = "$wanted" ] &&
    "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    exit 0
fi

make_venv() {
    rm -rf "$venv"
    "$python" -m venv "$venv" >/dev/null 2>&1
}

make_venv && exit 0
if "$python" -m pip --version >/dev/null 2>&1; then
    # No ensurepip here, but a pip that can install into a bare environment.
    rm -rf "$venv"
    if "$python" -m venv --without-pip "$venv" &&
        "$python" -m pip --python "$venv/bin/python" install --quiet pip; then
        exit 0
    fi
fi
sudo=
[ "$(id -u)" = 0 ] || sudo="sudo -n"
if command -v apt-get >/dev/null 2>&1 && $sudo true 2>/dev/null; then
    $sudo apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y python3-venv
    make_venv && exit 0
fi
echo "setup: $python cannot make a virtual environment." >&2
echo "       Install Debian's package python3-venv, then run the same command again." >&2
exit 1
