#!/bin/sh
# Fetches the browser libraries from their npm packages, each with its licence and version.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fetch PACKAGE VERSION FILE TARGET – the licence goes beside it
fetch() {
    (cd "$work" && npm pack --silent "$1@$2" >/dev/null && mkdir -p "$1" && tar xzf ./*.tgz -C "$1" && rm ./*.tgz)
    mkdir -p "$(dirname "$4")"
    # The source map is not shipped, so its comment would only make the browser ask for it.
    sed '/^\/[*\/]# sourceMappingURL=/d' "$work/$1/package/$3" >"$4"
    for licence in LICENSE LICENSE.txt LICENSE.md; do
        [ ! -f "$work/$1/package/$licence" ] || cp "$work/$1/package/$licence" "$(dirname "$4")/$1.LICENSE"
    done
    echo "$4  $1 $2  $(wc -c <"$4") bytes"
}

# Of several modules one classic script, so that a page kept for a door without a network has one file to keep.
bundle() {
    (cd "$work" && npx --yes esbuild@0.28.2 "$1/package/$2" --bundle --minify --format=iife --global-name="$3" --outfile="$work/bundled.js" --log-level=error)
    cp "$work/bundled.js" "$4"
}

fetch bootstrap 5.3.9 dist/css/bootstrap.min.css static/vendor/bootstrap.min.css
fetch htmx.org 4.0.1 dist/htmx.min.js static/vendor/htmx.min.js
fetch axe-core 4.14.1 axe.min.js tests/vendor/axe.min.js
fetch qr 0.7.0 decode.js static/vendor/qr.min.js
bundle qr decode.js QR static/vendor/qr.min.js
