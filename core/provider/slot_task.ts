/** One task inside a slot: gets its files, runs the guest, packs its artifacts, says how it ended. */

import { WasimoffError } from "../errors.ts";
import { exited, failed, type Outcome, STATUS_INVALID_MODULE } from "../outcome.ts";
import { deterministicWorld } from "../wasi/deterministic.ts";
import type { Ending, GuestInput } from "../wasi/program.ts";
import { checkArtifactPaths } from "../wasi/artifact_search.ts";
import { runProgram } from "../wasi/run.ts";
import { collectArtifacts } from "./slot_artifacts.ts";
import { compileModule, type SlotFiles } from "./slot_files.ts";
import type { DoneHeader, RunHeader } from "./slot_headers.ts";
import type { SlotHost } from "./slot_host.ts";
import { openPreopens } from "./slot_preopens.ts";
import { FRAME, type FrameType } from "./slot_protocol.ts";

const PAGE_BYTES = 64 * 1024;

export interface TaskParts {
  readonly host: SlotHost;
  readonly files: SlotFiles;
  readonly stdin: GuestInput;
  /** Sends bytes of a stream; more may follow when it returns, or when its promise resolves. */
  readonly write: (type: FrameType, chunk: Uint8Array) => void | Promise<void>;
  /** Called when the time of the guest begins. */
  readonly started: () => void;
  /** Called when the guest has ended and its artifacts are packed. */
  readonly packing: () => void;
}

/** What is known of the guest once it has ended. */
interface Ended {
  readonly outcome: Outcome;
  readonly durationMs: number;
  readonly memoryBytes: number;
}

/** Runs one task. Rejects only for a fault of the slot itself, which cannot go on then. */
export async function runTask(header: RunHeader, parts: TaskParts): Promise<DoneHeader> {
  const ended = await runGuest(header, parts).catch(rejection);
  return { ...ended, rssBytes: parts.host.rssBytes(ended.memoryBytes), keptBytes: parts.files.bytes };
}

async function runGuest(header: RunHeader, parts: TaskParts): Promise<Ended> {
  const { files, host, write } = parts;
  const { limits } = header;
  checkArtifactPaths(header.artifacts);
  const memoryCapBytes = Math.floor(limits.memoryBytes / PAGE_BYTES) * PAGE_BYTES;
  const compiled = await files.module(header.module, memoryCapBytes);
  const preopens = await openPreopens(header, files);
  parts.started();
  const startedNs = host.clock.monotonicNs();
  const { ending, memoryBytes } = await runProgram({
    ...compiled,
    args: header.args,
    env: header.env,
    preopens,
    stdout: { write: (chunk) => write(FRAME.STDOUT, chunk) },
    stderr: { write: (chunk) => write(FRAME.STDERR, chunk) },
    ...worldOf(header, parts),
    maxDescriptors: limits.descriptors,
    memoryCapBytes,
  });
  const durationMs = Number(host.clock.monotonicNs() - startedNs) / 1e6;
  const own = outcomeOf(ending);
  if (ending.kind !== "exit") return { outcome: own, durationMs, memoryBytes };
  if (header.artifacts.length > 0) parts.packing();
  const { zip, problem } = await collectArtifacts(header, preopens);
  if (problem !== null && own.status !== 0) {
    // The guest's own status says more; what is wrong besides is told where its errors are.
    await write(FRAME.STDERR, new TextEncoder().encode(`wasimoff: ${problem.message}\n`));
  }
  if (zip !== null) await write(FRAME.ARTIFACTS, zip);
  return { outcome: own.status === 0 && problem !== null ? problem : own, durationMs, memoryBytes };
}

/** Where input, time and randomness of a guest come from. */
function worldOf({ deterministic }: RunHeader, { host, stdin }: TaskParts) {
  if (deterministic) return deterministicWorld(stdin, () => host.turn());
  return { stdin, clock: host.clock, random: host.random };
}

function outcomeOf(ending: Ending): Outcome {
  return ending.kind === "exit" ? exited(ending.status) : failed(ending.kind, "guest", ending.message);
}

/** The end of a task that could not be started. */
function rejection(error: unknown): Ended {
  const unstarted = { durationMs: 0, memoryBytes: 0 };
  if (error instanceof WebAssembly.CompileError || error instanceof WebAssembly.LinkError) {
    const message = `cannot compile module: ${error.message}`;
    return { ...unstarted, outcome: failed("rejected", "provider", message, STATUS_INVALID_MODULE) };
  }
  if (!(error instanceof WasimoffError) || error.code === "internal") throw error;
  const status = error.code === "invalid_argument" ? STATUS_INVALID_MODULE : undefined;
  return { ...unstarted, outcome: failed("rejected", "provider", error.message, status) };
}

/** `_start` does nothing; there is a memory, as in every real program. */
// deno-fmt-ignore
const EMPTY_PROGRAM = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, // "\0asm", version 1
  1, 4, 1, 0x60, 0, 0, // type 0: () -> ()
  3, 2, 1, 0, // function 0 of type 0
  5, 3, 1, 0, 1, // memory 0: at least one page
  7, 19, 2, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0, // export "memory"
  6, 0x5f, 0x73, 0x74, 0x61, 0x72, 0x74, 0, 0, // export "_start"
  10, 4, 1, 2, 0, 0x0b, // code of function 0
]);

/** Runs an empty program, so that the first task finds the engine and our own code warm. */
export async function warmUp({ clock, random }: SlotHost): Promise<void> {
  const output = { write() {} };
  await runProgram({
    ...compileModule(EMPTY_PROGRAM, { maxMemoryBytes: PAGE_BYTES, heapTypes: false }),
    args: ["warm"],
    env: [],
    preopens: [],
    stdin: { read: () => new Uint8Array() },
    stdout: output,
    stderr: output,
    clock,
    random,
    maxDescriptors: 3,
    memoryCapBytes: PAGE_BYTES,
  });
}
