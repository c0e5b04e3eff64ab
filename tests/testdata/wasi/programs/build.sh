#!/bin/sh
# Builds the programs of this directory with Debian's clang, lld and wasi-libc, and records what they print when they
# are compiled for this machine and run in an empty directory of ext4: that is what they have to print as WASI programs.
# Usage: ./build.sh [NAME...]
set -eu
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The values of one line of the header, see tests/support/wasi_programs.ts.
header() { sed -n "s|^// $1: ||p" "$2"; }

record() {
  name=$1
  clang -D_GNU_SOURCE -O1 -Wall -o "$scratch/$name" "$name.c"
  mkdir "$scratch/directory"
  status=0
  (
    eval "set -- $(header args "$name.c")"
    while read -r pair; do export "$pair"; done <<END
$(header env "$name.c" | grep . || echo LC_ALL=C)
END
    cd "$scratch/directory"
    umask 022
    # Descriptors the shell may have open would change the numbers of new ones.
    header stdin "$OLDPWD/$name.c" | timeout 20 "$scratch/$name" "$@" 3>&- 4>&-
  ) > "$name.expected" || status=$?
  rm -rf "$scratch/directory"
  wanted=$(header status "$name.c")
  if [ "$status" -ne "${wanted:-0}" ]; then
    echo "$name: ended with $status on this machine" >&2
    exit 1
  fi
}

[ $# -gt 0 ] || set -- *.c
for source in "$@"; do
  name=${source%.c}
  clang --target=wasm32-wasi --sysroot=/usr -Os -s -Wall -o "$name.wasm" "$name.c"
  chmod -x "$name.wasm"
  if grep -q '^// deterministic' "$name.c"; then continue; fi # it has no like on this machine
  if grep -q '^// wasi only' "$name.c"; then echo ok > "$name.expected"; else record "$name"; fi
done
