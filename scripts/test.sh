#!/bin/sh
# `make test`: sets up what is missing, then runs the tests. pytest's own summary is the last thing printed.
#
#   scripts/test.sh -k contradictions     arguments go to pytest
#   WORKERS=0 scripts/test.sh             in one process, for a debugger
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
scripts/setup.sh dev
CHROMIUM=$(find_chromium)
if [ -n "$CHROMIUM" ]; then export CHROMIUM; else unset CHROMIUM; fi
exec .venv/bin/python -m pytest -n "${WORKERS:-2}" "$@"
