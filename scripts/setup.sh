#!/bin/sh
# Makes the virtual environment: setup.sh FOLDER PYTHON REQUIREMENTS. Called by the Makefile; may be run again.
set -eu
folder=$1 python=$2 requirements=$3
UV=uv==0.13.9

say() { printf '%s\n' "$*"; }
fail() {
    say "setup: $*" >&2
    exit 1
}
version_fits() { "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

if ! version_fits "$folder/bin/python"; then
    command -v "$python" >/dev/null ||
        fail "there is no $python. Install Python 3.10 to 3.13, or name one: make PYTHON=/path/to/python3"
    version_fits "$python" ||
        fail "$("$python" -V 2>&1) does not fit: Utter needs Python 3.10 to 3.13. Name one: make PYTHON=python3.12"
    say "setup: making $folder with $("$python" -V 2>&1)"
    "$python" -m venv --clear "$folder" ||
        fail "$python could not make a virtual environment. On Debian: apt-get install python3-venv"
fi

say "setup: installing $requirements"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$UV" ||
    fail "pip could not install uv. Is a package index within reach?"
# The requirements are complete, so nothing is resolved here and torch, which nothing needs, stays out.
"$folder/bin/uv" pip install --quiet --python "$folder/bin/python" --no-deps -r "$requirements" ||
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$requirements" ||
    fail "the packages of $requirements could not be installed; the lines above say why"
"$folder/bin/uv" pip install --quiet --python "$folder/bin/python" --no-deps --editable . ||
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --editable . ||
    fail "Utter itself could not be installed; the lines above say why"
# uv leaves byte code to the first run, and where Python may write none, each start compiles anew what it imports.
"$folder/bin/python" -m compileall -qq -j 0 "$folder/lib" agent voice || :

# What macOS needs not: PortAudio for live audio, OpenBLAS for speed, bubblewrap to confine programs.
[ "$(uname -s)" = Linux ] || exit 0
has() { "$folder/bin/python" -c "import ctypes; ctypes.CDLL('$1')" 2>/dev/null; }
missing=
has libportaudio.so.2 || missing="$missing libportaudio2"
has libopenblas.so.0 || missing="$missing libopenblas0-pthread"
command -v bwrap >/dev/null || missing="$missing bubblewrap"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "setup: installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086  # a list of words
    { apt-get install -qq -y --no-install-recommends $missing ||
        { apt-get update -qq && apt-get install -qq -y --no-install-recommends $missing; }; } >/dev/null 2>&1 &&
        exit 0
fi
say "setup: going on without$missing (no live audio, a slower MLX engine, or no sandbox). To have them, on Debian or Ubuntu:"
say "  sudo apt-get install$missing"
