#!/bin/sh
# `make run`: sets up what is missing, then starts the service with its demonstration data.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
scripts/setup.sh run
exec .venv/bin/python -m vendorrisk demo "$@"
