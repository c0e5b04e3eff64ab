/** The meeting point: tasks come in, providers come and go, every task gets one result. */

import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { Task_TraceEvent_EventType as TraceEvent } from "../protocol/gen/wasimoff/v1/messages_pb.ts";
import type { FileRef, StartHash } from "../storage/file_store.ts";
import { DispatchLoop } from "./dispatch_loop.ts";
import type { Effect, FinishEffect } from "./dispatcher/effect.ts";
import type { AttemptId, ProviderId } from "./dispatcher/event.ts";
import { type DispatcherStats, type ProviderView, providerViews, stats } from "./dispatcher/queries.ts";
import { createState, type DispatcherState } from "./dispatcher/state.ts";
import type { TaskLog } from "./dispatcher/task_log.ts";
import { KeptBytes } from "./kept_bytes.ts";
import type { ProviderPeer } from "./provider_peer.ts";
import type { TaskId, TaskIo, TaskOrigin, TaskProgress, TaskResult, TaskSpec } from "./task.ts";
import { TaskRun } from "./task_run.ts";

/** Memory of a waiting task without texts and input. */
const TASK_BYTES = 512;
/** Memory of a text beside its characters: many empty ones must not count as nothing. */
const TEXT_BYTES = 24;
/** What a streaming stdin may hold of a waiting task's memory beyond its first bytes: its initial credit. */
const STREAMED_STDIN_BYTES = 64 * 1024;

const NOBODY: TaskOrigin = { requester: "", reference: "", trace: null };

export interface BrokerOptions {
  /** Unique for this process: begins the ids of tasks and attempts. */
  readonly idPrefix: string;
  readonly maxQueue?: number;
  readonly log: TaskLog;
  /** Unix milliseconds of a clock that does not jump. */
  readonly now: () => number;
  readonly startHash: StartHash;
  readonly logger: Logger;
}

export interface SubmitOptions {
  /** Nobody in particular when absent. */
  readonly origin?: TaskOrigin;
  readonly onProgress?: (progress: TaskProgress) => void;
  /** Aborting cancels the task; `submit` still resolves with its result. */
  readonly signal: AbortSignal;
}

/** A provider's place in the broker, held by its endpoint. */
export interface ProviderSeat {
  readonly id: ProviderId;
  /** How many attempts it takes at once, 0 while it drains, and how many more may wait there. */
  setSlots(slots: number, backlog: number): void;
  /** Files that it claims to hold since lately, or no longer. */
  setFiles(added: readonly FileRef[], removed: readonly FileRef[]): void;
  /** A suspected provider gets no new attempts. */
  setSuspect(suspect: boolean): void;
  /** Its session has ended: its attempts are lost. */
  leave(): void;
}

export class Broker {
  readonly #options: BrokerOptions;
  readonly #state: DispatcherState;
  readonly #loop: DispatchLoop;
  readonly #runs = new Map<TaskId, TaskRun>();
  readonly #peers = new Map<ProviderId, ProviderPeer>();
  /** Attempts whose provider has not answered yet. */
  readonly #attempts = new Map<AttemptId, AbortController>();
  readonly #kept = new KeptBytes();
  #lastTask = 0;
  #lastProvider = 0;
  #idle: PromiseWithResolvers<void> | null = null;
  #closing = false;

  constructor(options: BrokerOptions) {
    const { idPrefix, maxQueue, log, now } = options;
    this.#options = options;
    this.#state = createState({ attemptPrefix: idPrefix, log, ...(maxQueue !== undefined && { maxQueue }) });
    this.#loop = new DispatchLoop({ state: this.#state, now, perform: (effect) => this.#perform(effect) });
  }

  get stats(): DispatcherStats {
    return stats(this.#state);
  }

  providers(): ProviderView[] {
    return providerViews(this.#state);
  }

  /**
   * Runs a task and resolves with its one result, after every stream of `io` was ended or aborted. Throws
   * `unavailable` while the broker drains.
   */
  async submit(
    spec: TaskSpec,
    io: TaskIo,
    { origin = NOBODY, onProgress, signal }: SubmitOptions,
  ): Promise<TaskResult> {
    if (this.#closing) throw new WasimoffError("unavailable", "broker is draining: try again later");
    const task = `${this.#options.idPrefix}${++this.#lastTask}`;
    const run = new TaskRun({
      ...{ spec, origin, io },
      startHash: this.#options.startHash,
      kept: this.#kept,
      onProgress: onProgress ?? null,
      onUnrepeatable: () =>
        this.#loop.dispatch({
          kind: "unrepeatable",
          task,
          why: "it has read too much of its streamed stdin",
        }),
    });
    this.#runs.set(task, run);
    const cancel = () =>
      this.#loop.dispatch({ kind: "cancel", task, reason: WasimoffError.from(signal.reason, "canceled") });
    signal.addEventListener("abort", cancel, { once: true });
    origin.trace?.mark(TraceEvent.BrokerQueueTask);
    this.#loop.dispatch({ kind: "submit", task, spec, bytes: heldBytes(spec, io) });
    if (signal.aborted) cancel();
    try {
      return await run.finished;
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }

  /** Seats a provider; it may get attempts before this returns. */
  join(peer: ProviderPeer): ProviderSeat {
    const id = `p${++this.#lastProvider}`;
    this.#peers.set(id, peer);
    this.#options.logger.info("provider joined", { provider: peer.info.name, id, slots: peer.info.slots });
    this.#loop.dispatch({ kind: "join", provider: id, ...peer.info });
    return {
      id,
      setSlots: (slots, backlog) => this.#loop.dispatch({ kind: "status", provider: id, slots, backlog }),
      setFiles: (added, removed) => this.#loop.dispatch({ kind: "files", provider: id, added, removed }),
      setSuspect: (suspect) => this.#loop.dispatch({ kind: "suspect", provider: id, suspect }),
      leave: () => {
        if (!this.#peers.delete(id)) return;
        this.#options.logger.info("provider left", { provider: peer.info.name, id });
        this.#loop.dispatch({ kind: "leave", provider: id });
      },
    };
  }

  /** Takes no new tasks and resolves when the last one has ended; rejects with the signal's reason. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#closing = true;
    if (this.#runs.size === 0) return;
    this.#idle = Promise.withResolvers();
    const stop = () => this.#idle?.reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    try {
      await this.#idle.promise;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** Cancels what still runs and stops. */
  close(): void {
    this.#closing = true;
    const reason = new WasimoffError("unavailable", "broker is shutting down");
    for (const task of this.#runs.keys()) this.#loop.dispatch({ kind: "cancel", task, reason });
    this.#loop.stop();
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case "start":
        return this.#start(effect);
      case "cancelAttempt":
        return this.#attempts.get(effect.attempt)?.abort(effect.reason);
      case "progress":
        return this.#runs.get(effect.task)?.progress({ ...effect, provider: "" });
      case "finish":
        return this.#finish(effect);
      default:
        effect satisfies never;
    }
  }

  #start({ task, attempt, provider }: { task: TaskId; attempt: AttemptId; provider: ProviderId }): void {
    const run = this.#runs.get(task)!;
    const peer = this.#peers.get(provider);
    if (peer === undefined) return; // it has just left, which is the next event
    const controller = new AbortController();
    this.#attempts.set(attempt, controller);
    run.provider = peer.info.name;
    run.attempt = attempt;
    const { origin, spec } = run;
    origin.trace?.mark(TraceEvent.BrokerScheduleTask);
    run.progress({ task, state: "running", provider: run.provider, detail: "" });
    const startedMs = this.#options.now();
    origin.trace?.mark(TraceEvent.BrokerTransmitProviderTask);
    peer.runAttempt({
      ...{ id: attempt, spec, origin },
      io: run.startAttempt(),
      answered: () => this.#loop.dispatch({ kind: "answered", provider, attempt }),
      signal: controller.signal,
    }).then(
      ({ outcome, durationMs, trace = [], pythonVersion = "" }) => {
        this.#attempts.delete(attempt);
        if (run.attempt === attempt) {
          origin.trace?.addOfProvider(trace);
          run.pythonVersion = pythonVersion;
        }
        const elapsedMs = this.#options.now() - startedMs;
        this.#loop.dispatch({ kind: "ended", provider, attempt, outcome, durationMs, elapsedMs });
      },
      (error) => {
        this.#attempts.delete(attempt);
        const { code, message } = WasimoffError.from(error, "internal");
        if (code === "data_loss") this.#loop.dispatch({ kind: "unrepeatable", task, why: message });
        this.#loop.dispatch({ kind: "failed", provider, attempt, code, message });
      },
    );
  }

  #finish({ task, outcome, code, attempts, queuedMs, durationMs }: FinishEffect): void {
    const run = this.#runs.get(task)!;
    this.#runs.delete(task);
    run.attempt = null;
    run.origin.trace?.mark(TraceEvent.BrokerReceivedProviderResult);
    const { provider, pythonVersion } = run;
    run.finish({ task, outcome, code, provider, attempts, queuedMs, durationMs, pythonVersion });
    if (this.#runs.size === 0) this.#idle?.resolve();
  }
}

/** Memory that a task takes while it waits. */
function heldBytes(spec: TaskSpec, io: TaskIo): number {
  let bytes = TASK_BYTES + io.stdinBytes.length + (io.stdin === null ? 0 : STREAMED_STDIN_BYTES);
  const guests = spec.preopens.map(({ guest }) => guest);
  const others = [...Object.entries(spec.require).flat(), ...spec.python?.packages ?? []];
  for (const texts of [spec.args, spec.env, spec.artifacts, guests, others]) {
    for (const text of texts) bytes += TEXT_BYTES + text.length;
  }
  return bytes;
}
