/** What it takes to run one WASI program, and how it can end. */

import type { Directory } from "./inode.ts";

/** The guest's standard input. */
export interface GuestInput {
  /** Up to `max` bytes; an empty array is end of file; a promise suspends the guest. A `WasimoffError` is EIO. */
  read(max: number): Uint8Array | Promise<Uint8Array>;
  /**
   * Whether `read` would answer at once: true, or a promise that resolves when it will. Asked by `poll_oneoff`
   * and for non-blocking reads, and may be asked again before an earlier promise has settled. Left out, input
   * counts as always ready.
   */
  ready?(): true | Promise<void>;
}

/** The guest's standard output or error. */
export interface GuestOutput {
  /**
   * Takes all of `chunk`, which is a view of guest memory, valid only during the call (until the promise
   * settles). A promise suspends the guest. A `WasimoffError` is EPIPE.
   */
  write(chunk: Uint8Array): void | Promise<void>;
}

export interface GuestClock {
  /** Nanoseconds since 1970. */
  realtimeNs(): bigint;
  /** Nanoseconds since any fixed point; never goes back. */
  monotonicNs(): bigint;
  /** Resolves after that many milliseconds (a whole number); settles early, either way, when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Returns after that many milliseconds. To be given where guests cannot be suspended: they sleep by it then. */
  block?(ms: number): void;
}

export interface Preopen {
  /** Path as the guest sees it, e.g. `/`, `.` or `data`. */
  readonly path: string;
  /** Changed by the guest; give each run a fork of its own where the tree is shared. */
  readonly directory: Directory;
}

/** A memory that a module imports, under whatever name, in pages of 64 KiB. */
export interface ImportedMemory {
  readonly initial: number;
  readonly maximum: number;
}

export interface Program {
  /** Checked before by the section reader: at most one memory, limited to `memoryCapBytes`. */
  module: WebAssembly.Module;
  /** The memory to make for the module; null when it brings its own. */
  importedMemory: ImportedMemory | null;
  /** An export to call before `_start`; null for none. */
  startExport: string | null;
  /** argv, with argv[0]. */
  args: readonly string[];
  /** `KEY=value` each. */
  env: readonly string[];
  /** Become descriptors 3, 4, ... in this order. */
  preopens: readonly Preopen[];
  stdin: GuestInput;
  stdout: GuestOutput;
  stderr: GuestOutput;
  clock: GuestClock;
  /** Fills at most 65,536 bytes with randomness, so `crypto.getRandomValues` will do. */
  random: (bytes: Uint8Array) => void;
  /** Most open descriptors, the first three included; beyond it is EMFILE. */
  maxDescriptors: number;
  /** What the memory of the module was limited to; a trap at 95 % of it or more counts as out of memory. */
  memoryCapBytes: number;
}

/** `status` is what the guest gave, as unsigned 32 bits. Messages are one line for people. */
export type Ending =
  | { kind: "exit"; status: number }
  | { kind: "trap"; message: string }
  | { kind: "memory"; message: string };
