/** What the provider needs from a slot: a place where one guest at a time runs in a cage. */

import type { ByteSink, ByteSource } from "../byte_stream.ts";
import type { Outcome } from "../outcome.ts";
import type { PythonRun } from "../python_run.ts";
import type { FileRef } from "../storage/file_store.ts";

/** A file of a task; loaded only when the slot does not hold it already (slots keep some by `ref`). */
export interface SlotFile {
  readonly ref: FileRef;
  load(): Promise<Uint8Array>;
}

export interface SlotPreopen {
  /** Path as the guest sees it, e.g. `/`, `.` or `data`. */
  readonly guest: string;
  /** A ZIP whose tree the directory starts with; null for an empty one. */
  readonly zip: SlotFile | null;
  /** Whether the guest may only read it. */
  readonly readOnly: boolean;
}

/** Size of the ZIP of artifacts that a slot may return: it is kept in memory on its way. */
export const MAX_ARTIFACT_BYTES = 256 * 1024 * 1024;
/** What a full volume takes on the heap (`INODE_BYTES` of slot_memory.ts) stays at 256 MiB. */
export const MAX_INODES = 131_072;
/** RLIMIT_NOFILE of most systems. */
export const MAX_DESCRIPTORS = 1_024;

/** Enforced inside the slot, or by what is around it; all are positive. */
export interface SlotLimits {
  /** Wall time of the guest, milliseconds. */
  readonly timeoutMs: number;
  /**
   * CPU time of the slot's process while the guest runs, milliseconds; null for none. Where the host cannot tell it,
   * as in a browser, all the time of the guest counts, waiting too.
   */
  readonly cpuMs: number | null;
  /** Linear memory, bytes; rounded down to whole 64 KiB pages. */
  readonly memoryBytes: number;
  /** Bytes that the guest may write to files, in all its directories together. */
  readonly diskBytes: number;
  /** Names of files, links and directories, in all its directories together. */
  readonly inodes: number;
  /** Open descriptors, standard streams and directories included. */
  readonly descriptors: number;
  /** Bytes of stdout and stderr together, where somebody stores them; null where they are read live. */
  readonly outputBytes: number | null;
  /** Size of the ZIP of artifacts, bytes. */
  readonly artifactBytes: number;
}

export interface SlotTask {
  readonly module: SlotFile;
  /** argv, with argv[0]. */
  readonly args: readonly string[];
  /** `KEY=value` each. */
  readonly env: readonly string[];
  readonly preopens: readonly SlotPreopen[];
  /** Paths and patterns of files and directories to return; empty for none. */
  readonly artifacts: readonly string[];
  /** Whether to return an empty directory for what is no regular file, as clients of wasimoff_v1 expect; no patterns. */
  readonly lenientArtifacts: boolean;
  readonly limits: SlotLimits;
  /** Seeded randomness and a clock that only sleeping moves: the same bytes on every host. */
  readonly deterministic: boolean;
  /** Set for a program in Python, which `module` then holds; only Python slots run it. */
  readonly python?: PythonRun;
}

/** Streams of a task. The slot ends or aborts every sink before `run` settles, and cancels stdin. */
export interface SlotIo {
  /** null is an empty stdin. */
  readonly stdin: ByteSource | null;
  readonly stdout: ByteSink;
  readonly stderr: ByteSink;
  /** Gets one ZIP when `artifacts` were asked for and the guest exited; nothing otherwise. */
  readonly artifacts: ByteSink;
  /** Gets the pickle of the result of a Python program, when it is not None; left out where nobody wants it. */
  readonly result?: ByteSink;
}

export interface SlotResult {
  readonly outcome: Outcome;
  /** Time of the guest itself, milliseconds. */
  readonly durationMs: number;
  /** Linear memory at its end, bytes. */
  readonly memoryBytes: number;
}

export interface Slot {
  /**
   * Runs one task; a slot runs one at a time. Aborting the signal kills the slot at once: the result is then
   * `cancelled`, or `timeout` where the reason's code is `deadline_exceeded`. A slot that dies without a known cause
   * makes it `trap` or `memory` by the `provider`, and aborts the outputs. Rejects with the error of `load` when a
   * file could not be had, with the cause when stdin was aborted or a sink has refused a write, and with
   * `unavailable` when the slot was closed.
   */
  run(task: SlotTask, io: SlotIo, signal: AbortSignal): Promise<SlotResult>;
  /** Whether the slot can take another task; false after its process died or it asked to be recycled. */
  readonly usable: boolean;
  /** Resolves when the slot has ended, for whatever reason; never rejects. */
  readonly ended: Promise<void>;
  /** Ends the slot and waits until its CPU and memory are free. */
  close(): Promise<void>;
}

/** Starts a warm slot. */
export type StartSlot = (signal?: AbortSignal) => Promise<Slot>;
