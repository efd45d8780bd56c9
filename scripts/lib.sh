# shellcheck shell=sh
# Small helpers that the other scripts share. Sourced, never run.

say() { printf '%s\n' "==> $*" >&2; }

warn() {
    printf '\n' >&2
    for line in "$@"; do printf '!!  %s\n' "$line" >&2; done
    printf '\n' >&2
}

die() {
    warn "$@"
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# Debian and its kin, where we may install packages: as root, or with a sudo that asks nothing.
may_apt() {
    have apt-get || return 1
    [ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null; }
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Package lists are fetched once per run, and only when something is missing at all.
apt_install() {
    say "installing system packages: $*"
    if [ -z "${apt_updated:-}" ]; then
        as_root apt-get update -qq >&2 || warn "apt-get update failed; trying with the lists that are here"
        apt_updated=1
    fi
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# The command a person would type, for the system this is.
install_hint() {
    if have apt-get; then
        echo "sudo apt-get install $1"
    elif have brew; then
        echo "brew install $2"
    elif have dnf; then
        echo "sudo dnf install $2"
    elif have apk; then
        echo "sudo apk add $2"
    elif [ "$(uname -s)" = Darwin ]; then
        echo "brew install $2    (Homebrew: see https://brew.sh)"
    else
        echo "install '$2' with your system's package manager"
    fi
}

find_chromium() {
    if [ -n "${CHROMIUM:-}" ]; then
        [ -x "$CHROMIUM" ] && echo "$CHROMIUM"
        return
    fi
    for name in chromium chromium-browser google-chrome; do
        if have "$name"; then
            command -v "$name"
            return
        fi
    done
    for path in "/Applications/Chromium.app/Contents/MacOS/Chromium" \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
        if [ -x "$path" ]; then
            echo "$path"
            return
        fi
    done
}

# macOS: a Python that is not Homebrew's does not look where Homebrew puts libraries. It must be said here, in a
# script of our own: the system removes DYLD_ variables from whatever /bin/sh or make is started with.
if [ "$(uname -s)" = Darwin ]; then
    export DYLD_FALLBACK_LIBRARY_PATH="${DYLD_FALLBACK_LIBRARY_PATH:-/opt/homebrew/lib:/usr/local/lib:/usr/lib}"
fi
