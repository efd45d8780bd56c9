#!/bin/sh
# `make lock`: pins requirements.in and requirements-dev.in, hashes included, for every platform and Python >= 3.11.
#
#   scripts/lock.sh                          keeps the pins that still fit
#   scripts/lock.sh --upgrade                takes the newest of everything
#   scripts/lock.sh --upgrade-package flask  of one
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

python=${PYTHON:-python3}
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"$python" -m venv "$tools"
"$tools/bin/python" -m pip install --quiet --disable-pip-version-check uv

# Not where packages came from: a lock must serve every machine, so no address of this one may end up in it.
compile() {
    "$tools/bin/uv" pip compile --quiet --universal --generate-hashes --python-version 3.11 \
        --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" "$@" >/dev/null
}

compile requirements.in -o requirements.txt "$@"
# Constrained by the first lock: tests run against the very versions that production runs.
compile requirements-dev.in -c requirements.txt -o requirements-dev.txt "$@"

if grep -nE 'file:|https?://|^ *--(extra-)?(index|find)' requirements.txt requirements-dev.txt; then
    die "a lock names an address of this machine; see above."
fi
