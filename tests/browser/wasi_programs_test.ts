/** Runs every program in tests/testdata/wasi/programs in a Worker of a real browser. */

import { deepStrictEqual, ok } from "node:assert/strict";
import { browserTest } from "../support/chromium.ts";
import { openSlotPage } from "../support/slot_page.ts";
import { loadWasiPrograms } from "../support/wasi_programs.ts";

const DIRECTORY = new URL("../testdata/wasi/programs/", import.meta.url);

browserTest("all WASI programs print and end in a browser as they must", async () => {
  await using slots = await openSlotPage();
  const worker = await slots.page.evaluateHandle(() =>
    new Worker("/tests/browser/scripts/wasi_programs_worker.js", { type: "module" })
  );
  const programs = loadWasiPrograms(DIRECTORY);
  ok(programs.length > 0);
  const differences: Record<string, string> = {};
  for (const program of programs) {
    const wasm = Deno.readFileSync(new URL(`${program.name}.wasm`, DIRECTORY)).toBase64();
    const difference = await worker.evaluate(
      (worker, program, wasm) =>
        new Promise<string | null>((resolve, reject) => {
          worker.onerror = ({ message }) => reject(new Error(message));
          // The Worker is that of a slot, too, which says that it is ready.
          worker.onmessage = ({ data }) => data instanceof Uint8Array || resolve(data);
          worker.postMessage({ program, wasm: Uint8Array.fromBase64(wasm) });
        }),
      program,
      wasm,
    );
    if (difference !== null) differences[program.name] = difference;
  }
  deepStrictEqual(differences, {});
});
