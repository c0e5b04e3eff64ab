/** One task at the broker, from its submission to its end, over all its attempts. */

import { WasimoffError } from "../errors.ts";
import type { StartHash } from "../storage/file_store.ts";
import type { AttemptIo } from "./provider_peer.ts";
import { RepeatableSink } from "./repeatable_sink.ts";
import { RepeatableSource } from "./repeatable_source.ts";
import type { TaskIo, TaskProgress, TaskResult, TaskSpec } from "./task.ts";

export interface TaskRunOptions {
  readonly spec: TaskSpec;
  readonly io: TaskIo;
  readonly startHash: StartHash;
  readonly onProgress: ((progress: TaskProgress) => void) | null;
  /** Too much of stdin was read for another attempt to read it again. */
  readonly onUnrepeatable: () => void;
}

export class TaskRun {
  readonly spec: TaskSpec;
  /** Name of the last attempt's provider; empty before the first. */
  provider = "";
  readonly #io: TaskIo;
  readonly #stdin: RepeatableSource | null;
  readonly #stdout: RepeatableSink;
  readonly #stderr: RepeatableSink;
  readonly #artifacts: RepeatableSink | null;
  readonly #onProgress: TaskRunOptions["onProgress"];
  readonly #finished = Promise.withResolvers<TaskResult>();

  constructor({ spec, io, startHash, onProgress, onUnrepeatable }: TaskRunOptions) {
    this.spec = spec;
    this.#io = io;
    this.#onProgress = onProgress;
    this.#stdin = io.stdin === null ? null : new RepeatableSource(io.stdin, onUnrepeatable);
    this.#stdout = new RepeatableSink(io.stdout, startHash);
    this.#stderr = new RepeatableSink(io.stderr, startHash);
    this.#artifacts = spec.artifacts.length === 0 ? null : new RepeatableSink(io.artifacts, startHash);
  }

  get finished(): Promise<TaskResult> {
    return this.#finished.promise;
  }

  progress(progress: TaskProgress): void {
    this.#onProgress?.(progress);
  }

  /** Streams of a new attempt; what earlier attempts still say is dropped from now on. */
  startAttempt(): AttemptIo {
    return {
      stdinBytes: this.#io.stdinBytes,
      stdin: this.#stdin?.attempt() ?? null,
      stdout: this.#stdout.attempt(),
      stderr: this.#stderr.attempt(),
      artifacts: this.#artifacts?.attempt() ?? null,
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
    this.#finished.resolve(result);
  }
}
