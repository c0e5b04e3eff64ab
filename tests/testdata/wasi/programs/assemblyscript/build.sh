#!/bin/sh
# Builds the AssemblyScript programs of this directory with the compiler and the WASI shim from npm, in a temporary
# directory. They have no like on this machine, so what they print is written by hand.
set -eu
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
npm install --silent --no-save --prefix "$scratch" assemblyscript@0.28.20 @assemblyscript/wasi-shim@0.1.0
cp ./*.ts "$scratch" # the compiler finds libraries below its own directory only
(
  cd "$scratch"
  for source in *.ts; do
    npx asc "$source" --config node_modules/@assemblyscript/wasi-shim/asconfig.json --outFile "${source%.ts}.wasm" -Oz
  done
)
cp "$scratch"/*.wasm .
chmod 644 ./*.wasm
