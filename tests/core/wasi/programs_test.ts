/** Runs every program in tests/testdata/wasi/programs: most print what they print natively on Linux. */

import assert from "node:assert/strict";
import { checkWasiProgram, loadWasiPrograms } from "../../support/wasi_programs.ts";

const DIRECTORY = new URL("../../testdata/wasi/programs/", import.meta.url);

for (const program of loadWasiPrograms(DIRECTORY)) {
  Deno.test(`WASI program ${program.name} prints and ends as it must`, async () => {
    const wasm = Deno.readFileSync(new URL(`${program.name}.wasm`, DIRECTORY));
    const difference = await checkWasiProgram(program, wasm);
    assert(difference === null, difference ?? "");
  });
}
