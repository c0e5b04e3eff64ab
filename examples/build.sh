#!/usr/bin/env bash
# Builds every example again; the committed .wasm files are what this makes.
# Needs clang, lld, wasi-libc and libclang-rt-dev-wasm32 (Debian), and npx for AssemblyScript.
set -euo pipefail
cd "$(dirname "$0")"

for name in upcase words ticker report; do
  clang --target=wasm32-wasi -O2 -Wall -Wextra -Werror -Wl,--strip-all -o "$name/$name.wasm" "$name/$name.c"
done

packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
npm install --silent --no-save --prefix "$packages" assemblyscript@0.28.20 @assemblyscript/wasi-shim@0.1.0
cp tsp/assembly/tsp.ts "$packages" # the compiler finds libraries below its own directory only
(
  cd "$packages"
  npx asc tsp.ts --config node_modules/@assemblyscript/wasi-shim/asconfig.json --outFile tsp.wasm -O3 --noAssert --runtime stub
)
cp "$packages/tsp.wasm" tsp/tsp.wasm

deno=${DENO:-deno}
"$deno" run --allow-write=noop noop/noop.ts
chmod 644 ./*/*.wasm
ls -l ./*/*.wasm
