#!/bin/sh
# Builds the guest of the slot tests. Needs Debian's clang, lld, wasi-libc and libclang-rt-dev-wasm32.
set -eu
cd "$(dirname "$0")"
clang --target=wasm32-wasi -Os -s -Wall -Werror -o guest.wasm guest.c
