#!/bin/sh
# Builds the Go program of this directory, and records what it prints when it is compiled for this machine and run in an
# empty directory. One program only: each has the runtime of Go in it.
set -eu
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The values of one line of the header, see tests/support/wasi_programs.ts.
header() { sed -n "s|^// $1: ||p" everything.go; }

GOOS=wasip1 GOARCH=wasm go build -trimpath -ldflags="-s -w -buildid=" -o everything.wasm everything.go
chmod -x everything.wasm
go build -o "$scratch/everything" everything.go
mkdir "$scratch/directory"
status=0
(
  header env | sed "s/.*/'&'/" > "$scratch/environment"
  eval "set -- env -i $(tr '\n' ' ' < "$scratch/environment") '$scratch/everything' $(header args)"
  go=$PWD/everything.go
  cd "$scratch/directory"
  sed -n "s|^// stdin: ||p" "$go" | timeout 20 "$@"
) > everything.expected || status=$?
[ "$status" -eq "$(header status)" ]
