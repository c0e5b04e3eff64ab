#!/bin/sh
# Builds the guests of the slot tests. Needs Debian's clang, lld, wasi-libc and libclang-rt-dev-wasm32.
set -eu
cd "$(dirname "$0")"
for name in guest traces; do
  clang --target=wasm32-wasi -Os -s -Wall -Werror -o "$name.wasm" "$name.c"
  chmod -x "$name.wasm"
done
