/** The committed programs of examples/: small, acceptable to the module check, and valid. */

import { ok, strictEqual } from "node:assert/strict";
import { prepareModule } from "../core/wasi/module_check.ts";

const EXAMPLES = ["noop", "report", "ticker", "tsp", "upcase", "words"];
const MAX_EXAMPLE_BYTES = 300_000;

for (const name of EXAMPLES) {
  Deno.test(`examples/${name} is a small, valid command`, async () => {
    const bytes = await Deno.readFile(new URL(`../examples/${name}/${name}.wasm`, import.meta.url));
    ok(bytes.length < MAX_EXAMPLE_BYTES, `${bytes.length} bytes`);
    const prepared = prepareModule(bytes, {
      maxMemoryBytes: 16 * 1024 * 1024,
      maxModuleBytes: MAX_EXAMPLE_BYTES,
      heapTypes: true,
    }).bytes;
    strictEqual(WebAssembly.validate(prepared.slice()), true);
  });
}
