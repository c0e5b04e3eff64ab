/** Programs for the tests of the WASI room: everything a run needs, with parts to replace. */

import { emptyDirectory } from "../../../core/wasi/inode.ts";
import type { GuestClock, Program } from "../../../core/wasi/program.ts";
import { runProgram, type RunResult } from "../../../core/wasi/run.ts";

const DIRECTORY = new URL("../../testdata/wasi/", import.meta.url);

/** 16 MiB: enough for every program here, and quickly used up. */
export const MEMORY_CAP_BYTES = 16 * 1024 * 1024;
/** 2023-11-14T22:13:20Z. */
export const EPOCH_NS = 1_700_000_000_000_000_000n;

/** Compiles one of the programs in tests/testdata/wasi. */
export function compileFixture(name: string): WebAssembly.Module {
  return new WebAssembly.Module(Deno.readFileSync(new URL(`${name}.wasm`, DIRECTORY)));
}

/** A clock that only moves when somebody sleeps, and remembers for how long. */
export class VirtualClock implements GuestClock {
  readonly sleeps: number[] = [];
  #ns = 0n;

  realtimeNs(): bigint {
    return EPOCH_NS + this.#ns;
  }

  monotonicNs(): bigint {
    return this.#ns;
  }

  sleep(ms: number): Promise<void> {
    this.sleeps.push(ms);
    this.#ns += BigInt(ms) * 1_000_000n;
    return Promise.resolve();
  }
}

/** Collects output. */
export class Collected {
  #bytes: number[] = [];

  write(chunk: Uint8Array): void {
    for (const byte of chunk) this.#bytes.push(byte);
  }

  get text(): string {
    return new TextDecoder().decode(new Uint8Array(this.#bytes));
  }
}

/** A program with one empty directory `.`, no input, and output that is thrown away. */
export function makeProgram(module: WebAssembly.Module, parts: Partial<Program> = {}): Program {
  return {
    module,
    importedMemory: null,
    startExport: null,
    args: ["program"],
    env: [],
    preopens: [{ path: ".", directory: emptyDirectory() }],
    stdin: { read: () => new Uint8Array(0) },
    stdout: { write: () => {} },
    stderr: { write: () => {} },
    clock: new VirtualClock(),
    random: (bytes) => void bytes.fill(4),
    maxDescriptors: 1024,
    memoryCapBytes: MEMORY_CAP_BYTES,
    ...parts,
  };
}

/** Runs a fixture with `args` after its name. */
export function runFixture(
  name: string,
  args: readonly string[] = [],
  parts: Partial<Program> = {},
): Promise<RunResult> {
  return runProgram(makeProgram(compileFixture(name), { args: [name, ...args], ...parts }));
}
