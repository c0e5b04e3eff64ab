/** One task at the broker, from its submission to its end, over all its attempts. */

import type { ByteSource } from "../byte_stream.ts";
import { WasimoffError } from "../errors.ts";
import type { StartHash } from "../storage/file_store.ts";
import type { AttemptId } from "./dispatcher/event.ts";
import type { AttemptIo } from "./provider_peer.ts";
import type { KeptBytes } from "./kept_bytes.ts";
import { RepeatableSink } from "./repeatable_sink.ts";
import { RepeatableSource } from "./repeatable_source.ts";
import type { TaskIo, TaskOrigin, TaskProgress, TaskResult, TaskSpec } from "./task.ts";

export interface TaskRunOptions {
  readonly spec: TaskSpec;
  readonly origin: TaskOrigin;
  readonly io: TaskIo;
  readonly startHash: StartHash;
  readonly kept: KeptBytes;
  readonly onProgress: ((progress: TaskProgress) => void) | null;
  /** Too much of stdin was read for another attempt to read it again. */
  readonly onUnrepeatable: () => void;
}

/** What the texts of a task and the first bytes of its stdin may take of a message (MAX_PAYLOAD_BYTES). */
const MAX_FIRST_BYTES = 56 * 1024;
/** Of one UTF-16 unit. */
const MAX_UTF8_BYTES = 3;

export class TaskRun {
  readonly spec: TaskSpec;
  readonly origin: TaskOrigin;
  /** Name of the last attempt's provider; empty before the first. */
  provider = "";
  /** Of Pyodide, as the last attempt says; empty for other tasks. */
  pythonVersion = "";
  /** The one that counts: what others still say is dropped. */
  attempt: AttemptId | null = null;
  readonly #io: TaskIo;
  readonly #stdin: RepeatableSource | null;
  readonly #stdout: RepeatableSink;
  readonly #stderr: RepeatableSink;
  readonly #artifacts: RepeatableSink | null;
  readonly #result: RepeatableSink | null;
  readonly #onProgress: TaskRunOptions["onProgress"];
  readonly #finished = Promise.withResolvers<TaskResult>();

  constructor({ spec, origin, io, startHash, kept, onProgress, onUnrepeatable }: TaskRunOptions) {
    this.spec = spec;
    this.origin = origin;
    this.#io = io;
    this.#onProgress = onProgress;
    this.#stdin = io.stdin === null ? null : new RepeatableSource(io.stdin, onUnrepeatable, kept);
    this.#stdout = new RepeatableSink(io.stdout, startHash);
    this.#stderr = new RepeatableSink(io.stderr, startHash);
    this.#artifacts = spec.artifacts.length === 0 ? null : new RepeatableSink(io.artifacts, startHash);
    const wantsResult = spec.python !== undefined && io.result !== undefined;
    this.#result = wantsResult ? new RepeatableSink(io.result, startHash) : null;
  }

  get finished(): Promise<TaskResult> {
    return this.#finished.promise;
  }

  progress(progress: TaskProgress): void {
    this.#onProgress?.(progress);
  }

  /** Streams of a new attempt; what earlier attempts still say is dropped from now on. */
  startAttempt(): AttemptIo {
    const bytes = this.#io.stdinBytes;
    const first = Math.min(bytes.length, Math.max(0, MAX_FIRST_BYTES - textBytes(this.spec)));
    const stream = this.#stdin?.attempt() ?? null;
    return {
      stdinBytes: bytes.subarray(0, first),
      stdin: first === bytes.length ? stream : bytesThen(bytes.subarray(first), stream),
      stdout: this.#stdout.attempt(),
      stderr: this.#stderr.attempt(),
      artifacts: this.#artifacts?.attempt() ?? null,
      result: this.#result?.attempt() ?? null,
    };
  }

  /** Ends every stream of the client, then tells the result. */
  finish(result: TaskResult): void {
    // Made only when an output was not complete: an error costs as much as the rest of this.
    const cause = () => new WasimoffError("canceled", result.outcome.message || "task has ended");
    this.#stdin?.close();
    this.#stdout.close(cause);
    this.#stderr.close(cause);
    if (this.#artifacts === null) this.#io.artifacts.end();
    else this.#artifacts.close(cause);
    if (this.#result === null) this.#io.result?.end();
    else this.#result.close(cause);
    this.#finished.resolve(result);
  }
}

/** At most what the texts of a task take in a message. */
function textBytes({ args, env, artifacts, preopens, python }: TaskSpec): number {
  const packages = python?.packages ?? [];
  const texts = [...args, ...env, ...artifacts, ...preopens.map(({ guest }) => guest), ...packages];
  return texts.reduce((sum, { length }) => sum + MAX_UTF8_BYTES * length, 0);
}

/** Reads bytes that are kept for every attempt, and then what follows them. */
function bytesThen(bytes: Uint8Array, rest: ByteSource | null): ByteSource {
  let pending: Uint8Array | null = bytes;
  return {
    read: () => {
      const chunk = pending;
      pending = null;
      if (chunk !== null) return Promise.resolve(chunk);
      return rest?.read() ?? Promise.resolve(null);
    },
    cancel: (reason) => {
      pending = null;
      rest?.cancel(reason);
    },
  };
}
