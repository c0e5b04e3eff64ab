/** Runs one program in a fresh instance, from its start to its end. */

import { WasimoffError } from "../errors.ts";
import { Guest } from "./guest.ts";
import { findJspi, type Jspi } from "./jspi.ts";
import { bindImports, mayWait } from "./preview1.ts";
import type { Ending, ImportedMemory, Program } from "./program.ts";

/** A trap with at least this part of the allowed memory in use is put down to memory. */
const MEMORY_TRAP_RATIO = 0.95;

/** How a run ended, and the size of its linear memory then. */
export interface RunResult {
  readonly ending: Ending;
  readonly memoryBytes: number;
}

/**
 * Runs `_start` of the program. Rejects with `invalid_argument` when the module does not fit the interface, and
 * with `resource_exhausted` when the host has no room for its memory. Where the runtime has no JSPI, streams
 * must answer at once: what would have to wait gets ENOTSUP.
 */
export async function runProgram(program: Program): Promise<RunResult> {
  const guest = new Guest(program);
  const jspi = mayWait(program.module) ? findJspi() : null;
  let ending: Ending;
  try {
    await start(program, guest, jspi);
    ending = { kind: "exit", status: 0 };
  } catch (error) {
    ending = trapOf(error, guest.memory.byteLength >= program.memoryCapBytes * MEMORY_TRAP_RATIO);
  }
  return { ending: guest.ending ?? ending, memoryBytes: guest.memory.byteLength };
}

async function start(program: Program, guest: Guest, jspi: Jspi | null): Promise<void> {
  const { module, importedMemory, startExport } = program;
  const brought = importedMemory === null ? null : makeMemory(importedMemory);
  const { exports } = instantiate(module, bindImports(module, guest, { jspi, memory: brought }));
  const memory = brought ?? exports.memory;
  if (memory instanceof WebAssembly.Memory) attach(guest, memory);
  for (const name of startExport === null ? ["_start"] : [startExport, "_start"]) {
    const entry = exports[name];
    if (typeof entry !== "function") {
      throw new WasimoffError("invalid_argument", `run module: export "${name}" is not a function`);
    }
    if (jspi === null) entry();
    else await jspi.promising(entry)();
  }
}

function attach(guest: Guest, memory: WebAssembly.Memory): void {
  if (!(memory.buffer instanceof ArrayBuffer)) {
    throw new WasimoffError("invalid_argument", "run module: shared memory is not supported");
  }
  guest.memory.attach(memory);
}

function makeMemory({ initial, maximum }: ImportedMemory): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial, maximum });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new WasimoffError("resource_exhausted", `run module: ${error.message}`, { cause: error });
  }
}

function instantiate(module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.Instance {
  try {
    return new WebAssembly.Instance(module, imports);
  } catch (error) {
    if (error instanceof WebAssembly.LinkError) {
      throw new WasimoffError("invalid_argument", `run module: ${error.message}`, { cause: error });
    }
    // The start function of the module may nest its calls too deeply; engines say so in the message only.
    if (error instanceof RangeError && !/call stack/.test(error.message)) {
      throw new WasimoffError("resource_exhausted", `run module: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/** What the guest died of. Errors of ours go on to the caller. */
function trapOf(error: unknown, memoryIsFull: boolean): Ending {
  if (error instanceof WasimoffError) throw error;
  const message = describe(error);
  return memoryIsFull ? { kind: "memory", message: `out of memory: ${message}` } : { kind: "trap", message };
}

function describe(error: unknown): string {
  if (error instanceof WebAssembly.RuntimeError) return error.message;
  // Firefox says InternalError; nothing else that a guest does ends in either of them.
  if (error instanceof RangeError || (error instanceof Error && error.name === "InternalError")) {
    return "stack overflow: the calls of the program are nested too deeply";
  }
  if (isWasmException(error)) return "an exception was thrown and not caught";
  return `a call of the interface failed: ${error instanceof Error ? error.message : String(error)}`;
}

/** The type definitions that come with TypeScript do not have this class. */
function isWasmException(error: unknown): boolean {
  const { Exception } = WebAssembly as unknown as { Exception?: new () => unknown };
  return Exception !== undefined && error instanceof Exception;
}
