/** Runs the programs of testdata/wasi/programs in the surroundings of a slot's Worker. */

import { sealScope } from "../../../core/seal_scope.ts";
import { checkWasiProgram, type WasiProgram } from "../../support/wasi_programs.ts";

/** Asks for one run; the answer is what was different, or null. */
export interface WasiProgramRun {
  readonly program: WasiProgram;
  readonly wasm: Uint8Array<ArrayBuffer>;
}

const scope = globalThis as unknown as { postMessage(message: unknown): void };
const answer = scope.postMessage.bind(scope);
sealScope(scope);

addEventListener("message", async (event) => {
  const { program, wasm } = (event as MessageEvent<WasiProgramRun>).data;
  answer(await checkWasiProgram(program, wasm).catch(String));
});
