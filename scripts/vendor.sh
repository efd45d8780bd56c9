#!/bin/sh
# `make vendor`: fetches the front end (npm) and the report's font (Debian) again, at the versions named here,
# and writes the manifests. `git diff` afterwards shows whether anything is not what it was.
# Needs npm, and for the font a Debian system; without it the font is left alone.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

TABLER=1.6.1
BOOTSTRAP=5.3.9 # not shipped by itself: Tabler's stylesheet contains it, and this is where its licence comes from
INTER=4.0~beta7+ds-1 # Debian 12's; the static fonts in it call themselves 3.019

web=vendorrisk/static/vendor
assets=vendorrisk/reports/assets
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sha256() { if have sha256sum; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1; }

# unpack <package> <version>: the npm package's files, in $work/<version>
unpack() {
    (cd "$work" && npm pack --silent "$1@$2" >/dev/null && mkdir "$2" && tar -xzf ./*.tgz -C "$2" && rm ./*.tgz)
}

# list <manifest> <file> <package> <version>
list() { # its line in the manifest
    printf '%s  %s  %s  %s\n' "$(sha256 "$(dirname "$1")/$2")" "$2" "$3" "$4" >>"$1"
}

have npm || die "npm is needed to fetch the front end."
mkdir -p "$web" "$assets"

unpack @tabler/core "$TABLER"
unpack bootstrap "$BOOTSTRAP"

# The source map is not shipped: without this comment no browser asks for it.
sed '/^\/[/*]# sourceMappingURL=/d' "$work/$TABLER/package/dist/css/tabler.min.css" >"$web/tabler.min.css"
cp "$work/$BOOTSTRAP/package/LICENSE" "$web/bootstrap.LICENSE"
# tabler.LICENSE is kept by hand: the npm package has none.

manifest=$web/MANIFEST.sha256
echo "# sha256  file  package  version; written by scripts/vendor.sh, checked by tests/house/test_vendored.py" >"$manifest"
list "$manifest" bootstrap.LICENSE bootstrap "$BOOTSTRAP"
list "$manifest" tabler.LICENSE @tabler/core "$TABLER"
list "$manifest" tabler.min.css @tabler/core "$TABLER"

if have apt-get && have dpkg-deb; then
    chmod 755 "$work"
    mkdir -m 777 "$work/font"
    (cd "$work/font" && apt-get download -qq "fonts-inter=$INTER" && dpkg-deb -x ./*.deb .)
    for style in Regular Bold; do
        cp "$work/font/usr/share/fonts/opentype/inter/Inter-$style.otf" "$assets/"
    done
    {
        echo "Copyright 2016-2022 The Inter Project Authors (https://github.com/rsms/inter)"
        echo
        echo "This Font Software is licensed under the SIL Open Font License, Version 1.1."
        echo
        echo "SIL OPEN FONT LICENSE Version 1.1 - 26 February 2007"
        echo
        # Debian's copyright file indents the text by one and marks empty lines with a dot.
        sed -n '/^License: OFL-1.1$/,/^License: Apache-2.0$/p' "$work/font/usr/share/doc/fonts-inter/copyright" |
            sed '/^License: /d; s/^ //; s/^\.$//' | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
    } >"$assets/OFL.txt"
    manifest=$assets/MANIFEST.sha256
    echo "# sha256  file  package  version; written by scripts/vendor.sh, checked by tests/house/test_vendored.py" >"$manifest"
    for file in Inter-Bold.otf Inter-Regular.otf OFL.txt; do
        list "$manifest" "$file" fonts-inter "$INTER"
    done
else
    warn "Not a Debian system: the font in $assets was left as it is."
fi
