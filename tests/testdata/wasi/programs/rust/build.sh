#!/bin/sh
# Builds the Rust programs of this directory (needs rustup's target wasm32-wasip1), and records what they print when they
# are compiled for this machine and run in an empty directory.
# Usage: ./build.sh [NAME.rs...]
set -eu
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The values of one line of the header, see tests/support/wasi_programs.ts.
header() { sed -n "s|^// $1: ||p" "$2"; }

[ $# -gt 0 ] || set -- *.rs
for source in "$@"; do
  name=${source%.rs}
  flags="--edition 2021 -C opt-level=z -C lto -C codegen-units=1 -C panic=abort -C strip=symbols"
  # shellcheck disable=SC2086
  rustc $flags --target wasm32-wasip1 -o "$name.wasm" "$source"
  chmod -x "$name.wasm"
  # shellcheck disable=SC2086
  rustc $flags -o "$scratch/$name" "$source"
  rm -rf "$scratch/directory"
  mkdir "$scratch/directory"
  status=0
  (
    eval "set -- timeout 20 '$scratch/$name' $(header args "$source")"
    header env "$source" | sed "s/.*/'&'/" > "$scratch/environment"
    eval "set -- env -i $(tr '\n' ' ' < "$scratch/environment")" '"$@"'
    cd "$scratch/directory"
    header stdin "$OLDPWD/$source" | "$@"
  ) > "$name.expected" || status=$?
  wanted=$(header status "$source")
  if [ "$status" -ne "${wanted:-0}" ]; then
    echo "$name: ended with $status on this machine" >&2
    exit 1
  fi
done
