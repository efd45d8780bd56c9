#!/bin/sh
# Makes .venv what the lock files say, and the system libraries present. Says nothing when all is in place.
#
#   scripts/setup.sh        what running the service needs
#   scripts/setup.sh dev    what tests and checks need on top, Chromium included
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

python=${PYTHON:-python3}
purpose=${1:-run}
case $purpose in
run) lock=requirements.txt ;;
dev) lock=requirements-dev.txt ;;
*) die "usage: scripts/setup.sh [run|dev]" ;;
esac

check_python() {
    have "$python" || die "vendorrisk needs Python 3.11 or newer, and there is no '$python'." \
        "Install it ($(install_hint 'python3 python3-venv' python3)), or say which: make PYTHON=/path/to/python3"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        die "vendorrisk needs Python 3.11 or newer; '$python' is $("$python" -V 2>&1)." \
            "Say which one to use: make PYTHON=/path/to/python3.11"
}

# Debian ships the venv module without pip; only python3-venv makes it whole.
check_venv_module() {
    "$python" -c 'import venv, ensurepip' 2>/dev/null && return
    case $("$python" -c 'import sys; print(sys.executable)') in
    /usr/bin/*) may_apt && apt_install python3-venv && "$python" -c 'import venv, ensurepip' && return ;;
    esac
    die "'$python -m venv' does not work: the package python3-venv is missing." \
        "Install it: sudo apt-get install python3-venv"
}

# A copy of each lock is kept in .venv: as long as both are the same, there is nothing to install.
installed() { cmp -s "$1" ".venv/installed-$1"; }

up_to_date() {
    [ -x .venv/bin/python ] && installed requirements.txt || return 1
    [ "$purpose" = run ] || installed requirements-dev.txt
}

make_venv() {
    if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
        check_python
        check_venv_module
        say "creating .venv with $("$python" -V 2>&1)"
        "$python" -m venv --clear .venv || die "could not create .venv with '$python -m venv'"
    fi
    say "installing Python packages from $lock"
    rm -f .venv/installed-*
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock" >&2 ||
        die "pip could not install $lock; see above."
    cp requirements.txt .venv/installed-requirements.txt
    # requirements-dev.txt holds all of requirements.txt at the same versions (`make lock` sees to it).
    if [ "$purpose" = dev ]; then cp requirements-dev.txt .venv/installed-requirements-dev.txt; fi
}

# The names under which WeasyPrint itself looks for them (weasyprint/text/ffi.py).
pdf_libraries_load() {
    .venv/bin/python - 2>/dev/null <<'PY'
import ctypes.util, sys

names = {"pango-1.0": "0", "pangoft2-1.0": "0", "harfbuzz-subset": "0", "gobject-2.0": "0", "fontconfig": "1"}

def loads(name: str, version: str) -> bool:
    candidates = [f"lib{name}.so.{version}", f"lib{name}.{version}.dylib", f"lib{name}.dylib"]
    if sys.platform == "darwin":
        candidates += filter(None, [ctypes.util.find_library(name)])
    for candidate in candidates:
        try:
            ctypes.CDLL(candidate)
        except OSError:
            continue
        return True
    return False

sys.exit(not all(loads(*item) for item in names.items()))
PY
}

check_pdf_libraries() {
    pdf_libraries_load && return
    packages="libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
    if may_apt; then
        # shellcheck disable=SC2086  # a list of names
        apt_install $packages && pdf_libraries_load && return
    fi
    die "PDF reports need the Pango and HarfBuzz libraries, and they were not found. Install them, then start again:" \
        "    $(install_hint "$packages" pango)"
}

check_chromium() {
    [ -z "$(find_chromium)" ] || return 0
    # Ubuntu's package is a stub for a snap, which neither installs in a container nor takes our flags.
    if may_apt && ! grep -qi '^ID=ubuntu' /etc/os-release; then
        apt_install chromium && [ -n "$(find_chromium)" ] && return
    fi
    warn "NO CHROMIUM FOUND: the browser tests cannot run." \
        "Install chromium or google-chrome, or set CHROMIUM=/path/to/it."
    [ -z "${VENDORRISK_REQUIRE_ALL:-}" ] || exit 1
}

up_to_date || make_venv
check_pdf_libraries
if [ "$purpose" = dev ]; then check_chromium; fi
