#!/bin/sh
# Builds the hostile guest. Needs Debian's clang, lld, wasi-libc and libclang-rt-dev-wasm32.
set -eu
cd "$(dirname "$0")"
clang --target=wasm32-wasi -Os -s -Wall -Werror -Wno-infinite-recursion -o bombs.wasm bombs.c
