#!/usr/bin/env bash
# What a fresh clone costs: seconds until `cargo run` serves its first page, and CPU-seconds of the
# first check. Downloads are done first and not counted.
#
#   bash benches/cold.sh [first-page|first-check]
set -euo pipefail
repo="$(cd "$(dirname "$0")/.." && pwd)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
git clone -q "$repo" "$scratch/clone"
cd "$scratch/clone"
unset CARGO_TARGET_DIR
cargo fetch --quiet --locked

first_page() {
    local start=$SECONDS
    cargo run --quiet --offline -- serve --addr 127.0.0.1:0 --emulator-addr 127.0.0.1:0 --json >ready.json &
    local server=$!
    until [ -s ready.json ]; do
        kill -0 "$server" || exit 1
        sleep 0.05
    done
    local site
    site="$(sed 's/.*"site":"\([^"]*\)".*/\1/' ready.json)"
    curl --silent --fail --output /dev/null "$site"
    printf 'cargo run to first page: %s s wall\n' "$((SECONDS - start))"
    kill -INT "$server"
    wait "$server" || true
}

first_check() {
    TIMEFORMAT='first check, built from nothing: %R s wall, %U user + %S system CPU-seconds'
    time cargo test --quiet --offline --no-run -p ex001 --test check
}

case "${1:-both}" in
first-page) first_page ;;
first-check) first_check ;;
both)
    first_check
    rm -rf target
    first_page
    ;;
esac
