#!/bin/sh
# Builds the programs of this directory with Debian's clang, lld and wasi-libc.
set -eu
cd "$(dirname "$0")"
for source in *.c; do
  # 16 MiB, so that running out of memory is cheap to test.
  flags="--sysroot=/usr -Wl,--max-memory=16777216"
  # Programs that bring their own imports do without the C library.
  if grep -q '^// bare' "$source"; then flags="-nostdlib -Wl,--export=_start"; fi
  # A line "// flags: ..." adds to them.
  flags="$flags $(sed -n 's|^// flags: ||p' "$source")"
  # shellcheck disable=SC2086
  clang --target=wasm32-wasi $flags -Os -s -Wall -o "${source%.c}.wasm" "$source"
done
