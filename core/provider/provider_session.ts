/** One session of a provider with its broker: announces, serves attempts, drains. */

import { WasimoffError } from "../errors.ts";
import type { RunAttempt } from "../protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { Messenger, type RequestContext, type ResultInit } from "../protocol/messenger.ts";
import { decodePython } from "../protocol/python_codec.ts";
import { encodeOutcome } from "../protocol/outcome_codec.ts";
import type { Session } from "../session/session.ts";
import { AcceptedStdio } from "../session/stdio_response.ts";
import { type FileRef, isFileRef } from "../storage/file_store.ts";
import { prefixed } from "./prefixed_source.ts";
import { Backlog } from "./backlog.ts";
import type { ProviderOptions } from "./provider_options.ts";
import { TaskTrace } from "./task_trace.ts";
import { MAX_ARTIFACT_BYTES, MAX_DESCRIPTORS, MAX_INODES, type SlotFile, type SlotTask } from "./slot.ts";

/** How long a broker may take to answer the announcement. */
const ANNOUNCE_TIMEOUT_MS = 5_000;
/** A leaving provider looks this often whether everything was sent. */
const FLUSH_INTERVAL_MS = 10;

export class ProviderSession {
  readonly #session: Session;
  readonly #options: ProviderOptions;
  readonly #messenger: Messenger;
  readonly #storagePath = Promise.withResolvers<string>();
  readonly #done = Promise.withResolvers<void>();
  readonly #backlog: Backlog;
  #running = 0;
  #draining = false;
  #leaving: ReturnType<typeof setTimeout> | undefined;

  constructor(session: Session, options: ProviderOptions) {
    this.#session = session;
    this.#options = options;
    this.#storagePath.promise.catch(() => {}); // attempts that wait for it get the cause themselves
    this.#backlog = new Backlog({
      slots: options.slots,
      runInSlot: options.runInSlot,
      onChange: (backlog) => this.#tellStatus(backlog),
    });
    this.#messenger = new Messenger(session, {
      request: (method, context) => {
        if (method.case === "runAttempt") return this.#runAttempt(method.value, context);
        throw new WasimoffError("unimplemented", "providers run attempts only");
      },
      event: () => {}, // brokers have no events to tell a provider yet
    });
  }

  /** Serves until everything is drained ("done"), or the session ends: then resolves with the cause. */
  async serve(): Promise<"done" | WasimoffError> {
    const { signal } = this.#options;
    const drain = () => this.#drain();
    signal.addEventListener("abort", drain, { once: true });
    try {
      if (signal.aborted) drain();
      await Promise.race([this.#announce(), this.#done.promise]);
      await this.#ended();
      return this.#draining ? "done" : WasimoffError.from(this.#session.signal.reason);
    } finally {
      signal.removeEventListener("abort", drain);
      clearTimeout(this.#leaving);
      this.#session.close(new WasimoffError("canceled", "provider has left"));
      if (this.#draining) await this.#session.left; // the process may exit next
    }
  }

  async #announce(): Promise<void> {
    const { name, slots, labels, taskMemoryBytes, taskTimeoutMs, python, cached, onReady } = this.#options;
    const value = {
      name,
      slots,
      labels: { ...labels },
      cached: [...await cached()],
      taskMemory: BigInt(taskMemoryBytes),
      taskTimeoutMs: BigInt(taskTimeoutMs),
      python: python ?? "",
    };
    const late = setTimeout(
      () =>
        this.#session.close(new WasimoffError("deadline_exceeded", "broker did not answer the announcement")),
      ANNOUNCE_TIMEOUT_MS,
    );
    try {
      const result = await this.#messenger.request({ case: "announce", value });
      if (result.case !== "announced") {
        throw new WasimoffError("internal", "broker did not answer the announcement");
      }
      this.#storagePath.resolve(result.value.storagePath);
      onReady?.(result.value.provider);
    } catch (error) {
      this.#storagePath.reject(error);
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  async #ended(): Promise<void> {
    const over = () => this.#done.resolve();
    this.#session.signal.addEventListener("abort", over, { once: true });
    if (this.#session.signal.aborted) over();
    await this.#done.promise;
  }

  /** Takes no more attempts; done when the last has ended or the time for that is over. */
  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#tellStatus(0);
    const timer = setTimeout(() => this.#done.resolve(), this.#options.drainMs);
    this.#done.promise.then(() => clearTimeout(timer));
    this.#leaveWhenIdle();
  }

  #tellStatus(backlog: number): void {
    if (this.#session.signal.aborted) return;
    const slots = this.#draining ? 0 : this.#options.slots;
    this.#messenger.emit({ case: "providerStatus", value: { slots, draining: this.#draining, backlog } });
  }

  /** Leaves behind the answer to the last attempt, which is sent in a later microtask, and behind its output. */
  #leaveWhenIdle(): void {
    if (this.#session.signal.aborted) return this.#done.resolve();
    if (!this.#draining || this.#running > 0) return;
    clearTimeout(this.#leaving);
    this.#leaving = setTimeout(() => {
      if (this.#session.flushed) this.#done.resolve();
      else this.#leaveWhenIdle();
    }, FLUSH_INTERVAL_MS);
  }

  async #runAttempt(attempt: RunAttempt, { signal }: RequestContext): Promise<ResultInit> {
    const stdio = new AcceptedStdio(this.#session, attempt.stdio);
    if (this.#draining) {
      const cause = new WasimoffError("unavailable", "provider is draining");
      stdio.abort(cause);
      throw cause;
    }
    this.#running++;
    try {
      return { case: "attempt", value: await this.#attemptResult(attempt, stdio, signal) };
    } catch (error) {
      stdio.abort(WasimoffError.from(error));
      throw error;
    } finally {
      this.#running--;
      if (this.#options.once) this.#drain();
      this.#leaveWhenIdle();
    }
  }

  async #attemptResult(attempt: RunAttempt, stdio: AcceptedStdio, signal: AbortSignal) {
    const events: { event: number; unixNano: bigint }[] = [];
    const trace = attempt.trace ? new TaskTrace((event, unixNano) => events.push({ event, unixNano })) : null;
    trace?.received();
    const task = this.#slotTask(attempt, await this.#storagePath.promise);
    const io = { ...outputs(stdio), stdin: prefixed(stdio.stdinBytes, stdio.stdin) };
    trace?.taken();
    const { outcome, durationMs, memoryBytes } = await this.#backlog.run(task, io, signal);
    trace?.ran(durationMs);
    trace?.answered(outcome.reason === "exit");
    return {
      attempt: attempt.attempt,
      outcome: encodeOutcome(outcome),
      durationMs,
      memory: BigInt(memoryBytes),
      lengths: stdio.lengths(),
      trace: events,
    };
  }

  #slotTask(attempt: RunAttempt, storagePath: string): SlotTask {
    const { module, args, env, preopens, artifacts, lenientArtifacts, limits, deterministic } = attempt;
    const { taskMemoryBytes, taskTimeoutMs, taskDiskBytes } = this.#options;
    if (attempt.python !== undefined && this.#options.python === undefined) {
      throw new WasimoffError("unimplemented", "this provider runs no Python");
    }
    const file = (ref: string) => this.#file(ref, storagePath);
    return {
      module: file(module),
      args,
      env,
      preopens: preopens.map(({ guest, zip, readOnly }) => ({
        ...{ guest, readOnly },
        zip: zip === "" ? null : file(zip),
      })),
      artifacts,
      lenientArtifacts,
      limits: {
        timeoutMs: Math.min(Number(limits?.timeoutMs || taskTimeoutMs), taskTimeoutMs),
        cpuMs: Number(limits?.cpuMs ?? 0n) || null,
        memoryBytes: Math.min(Number(limits?.memory || taskMemoryBytes), taskMemoryBytes),
        diskBytes: Math.min(Number(limits?.disk || taskDiskBytes), taskDiskBytes),
        inodes: MAX_INODES,
        descriptors: MAX_DESCRIPTORS,
        outputBytes: Number(limits?.output ?? 0n) || null,
        artifactBytes: MAX_ARTIFACT_BYTES,
      },
      deterministic,
      ...(attempt.python !== undefined && { python: decodePython(attempt.python) }),
    };
  }

  #file(ref: string, storagePath: string): SlotFile {
    if (!isFileRef(ref)) throw new WasimoffError("invalid_argument", `"${ref}" is not a file reference`);
    return { ref, load: () => this.#options.loadFile(ref satisfies FileRef, storagePath) };
  }
}

function outputs({ stdout, stderr, artifacts, result }: AcceptedStdio) {
  return { stdout, stderr, artifacts, ...(result !== undefined && { result }) };
}
