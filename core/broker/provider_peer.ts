/** What the broker's core needs from a provider, whatever generation of the protocol it speaks. */

import type { ByteSink, ByteSource } from "../byte_stream.ts";
import type { Outcome } from "../outcome.ts";
import type { FileRef } from "../storage/file_store.ts";
import type { AttemptId, Generation } from "./dispatcher/event.ts";
import type { Labels, TaskOrigin, TaskSpec } from "./task.ts";
import type { TraceMoment } from "./task_trace.ts";

export interface ProviderInfo {
  /** For people; need not be unique. */
  readonly name: string;
  /** Of the protocol; the first carries less, and is asked last. */
  readonly generation: Generation;
  readonly slots: number;
  readonly labels: Labels;
  /** Files it claims to hold: a hint for placement. */
  readonly cached: readonly FileRef[];
  /** The most a task may ask for. */
  readonly taskMemoryBytes: number;
  /** The most a task may ask for, and what it gets when it does not ask. */
  readonly taskTimeoutMs: number;
  /** Version of Pyodide for Python tasks, empty when it does not say; left out when it takes none. */
  readonly python?: string;
}

/** Streams of one attempt. The provider's side ends the sinks it could write completely. */
export interface AttemptIo {
  readonly stdinBytes: Uint8Array;
  readonly stdin: ByteSource | null;
  readonly stdout: ByteSink;
  readonly stderr: ByteSink;
  /** null when none were asked for. */
  readonly artifacts: ByteSink | null;
  /** Left out when no result of a Python program is wanted. */
  readonly result?: ByteSink | null;
}

export interface AttemptReport {
  readonly outcome: Outcome;
  readonly durationMs: number;
  /** Of Pyodide, after a Python task. */
  readonly pythonVersion?: string;
  /** What the provider adds to the trace, when there is one. */
  readonly trace?: readonly TraceMoment[];
}

export interface AttemptRequest {
  readonly id: AttemptId;
  readonly spec: TaskSpec;
  readonly origin: TaskOrigin;
  readonly io: AttemptIo;
  /** To be called when the provider is done and only its output is still on the way. */
  readonly answered: () => void;
  /** Aborting asks the provider to stop; the promise still settles with its answer. */
  readonly signal: AbortSignal;
}

export interface ProviderPeer {
  readonly info: ProviderInfo;
  /** Runs one attempt to its end. Rejects when it could not be carried out, or its provider was lost. */
  runAttempt(attempt: AttemptRequest): Promise<AttemptReport>;
}
