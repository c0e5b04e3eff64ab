/** What a provider and a slot say to each other about one task, seen from the provider. */

import { WasimoffError } from "../errors.ts";
import { failed, type Outcome } from "../outcome.ts";
import type { ByteSink } from "../byte_stream.ts";
import { MAX_PYTHON_RESULT_BYTES } from "../python_run.ts";
import { joinOutput } from "./joined_output.ts";
import { OutputMeter } from "./output_meter.ts";
import type { SlotIo, SlotResult, SlotTask } from "./slot.ts";
import { believe, MAX_MESSAGE_BYTES, MAX_TRACEBACK_BYTES } from "./slot_claims.ts";
import { deathOutcome } from "./slot_death.ts";
import { decodeDone, type DoneHeader, encodeRun } from "./slot_headers.ts";
import { pythonMemory, taskMemory } from "./slot_memory.ts";
import { broken, decodeNumber, FRAME, type Frame, type FrameDecoder } from "./slot_protocol.ts";
import type { SlotProcess } from "./slot_process.ts";
import { SlotSupply, type SuppliedFile } from "./slot_supply.ts";
import { SlotWatch } from "./slot_watch.ts";
import { StdinPump } from "./stdin_pump.ts";

/** Time for packing artifacts: 65,000 small files take some 12 s. */
export const PACKING_TIMEOUT_MS = 60_000;
/** Time for sending artifacts, without that of their reader. */
export const ARTIFACTS_TIMEOUT_MS = 30_000;

export interface ConversationParts {
  readonly process: SlotProcess;
  readonly decoder: FrameDecoder;
  readonly task: SlotTask;
  readonly io: SlotIo;
  /** What a Python slot may ask for besides. */
  readonly wheels: readonly SuppliedFile[];
  /** Memory of the process before the task, as far as it is known. */
  readonly rssBytes: number;
}

export interface ConversationEnd {
  readonly result: SlotResult;
  /** Memory of the process after the task; 0 when it did not run to its end. */
  readonly rssBytes: number;
  /** What of it the slot keeps on purpose. */
  readonly keptBytes: number;
}

/** Why the slot was killed under its task: a result, or an error to reject with. */
type Verdict = Outcome | WasimoffError;

/** How far the task is, as its slot says: the order is fixed. */
type Stage = "preparing" | "started" | "packing" | "returning";

export class SlotConversation {
  readonly #parts: ConversationParts;
  readonly #startedMs = performance.now();
  readonly #pump: StdinPump | null;
  readonly #watch: SlotWatch;
  readonly #output: OutputMeter;
  readonly #supply: SlotSupply;
  #stage: Stage = "preparing";
  #artifactBytes = 0;
  #resultBytes = 0;
  /** The first reason to kill the slot wins. */
  #verdict: Verdict | null = null;
  /** Ends the wait for something that is not the slot; null while there is none. */
  #interrupt: (() => void) | null = null;

  constructor(parts: ConversationParts) {
    const { process, io, task, wheels, rssBytes } = parts;
    const allowance = task.python === undefined ? taskMemory : pythonMemory;
    this.#parts = parts;
    this.#pump = io.stdin === null ? null : new StdinPump(io.stdin, (frame) => process.write(frame));
    this.#output = new OutputMeter(task.limits.outputBytes);
    this.#watch = new SlotWatch({
      process,
      limits: task.limits,
      maxRssBytes: rssBytes + allowance(task.limits, task.artifacts.length > 0),
      onExceeded: (outcome) => void this.#stop(outcome),
    });
    this.#supply = new SlotSupply(task, { process, watch: this.#watch, wheels });
  }

  /** Whether the slot lives on. */
  get alive(): boolean {
    return this.#verdict === null;
  }

  /** Has the task run; see `Slot.run`. */
  async run(signal: AbortSignal): Promise<ConversationEnd> {
    const onAbort = () => void this.#stop(stopped(signal.reason));
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await this.#converse(signal);
    } catch (error) {
      const cause = WasimoffError.from(error, "internal");
      if (this.#supply.error === null) await this.#stop(cause);
      this.#release((sink) => sink.abort(cause));
      throw cause;
    } finally {
      this.#watch.stop();
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Ends the task because the slot is wanted no longer, which says nothing about the task. */
  close(): Promise<void> {
    return this.#stop(new WasimoffError("unavailable", "slot was closed under the task"));
  }

  async #converse(signal: AbortSignal): Promise<ConversationEnd> {
    if (signal.aborted) return this.#ended(stopped(signal.reason));
    const { process, task, io } = this.#parts;
    const run = encodeRunOrNull(task, { stdin: this.#pump !== null, result: io.result !== undefined });
    if (run === null) {
      return this.#ended(failed("rejected", "provider", "arguments and environment are too large"));
    }
    this.#watch.startGuest();
    void process.write(run);
    this.#pump?.run().catch((error) => this.#stop(WasimoffError.from(error)));
    const done = await this.#readFrames();
    if (done === null) return await this.#died();
    if (this.#supply.error !== null) throw this.#supply.error;
    const elapsedMs = performance.now() - this.#startedMs;
    const result = believe(done, {
      elapsedMs,
      maxMemoryBytes: task.limits.memoryBytes,
      maxMessageBytes: task.python === undefined ? MAX_MESSAGE_BYTES : MAX_TRACEBACK_BYTES,
    });
    this.#release((sink) => sink.end());
    return { result, rssBytes: done.rssBytes, keptBytes: done.keptBytes };
  }

  /** Reads until the task's end; null when the process ended first. */
  async #readFrames(): Promise<DoneHeader | null> {
    const { process, decoder } = this.#parts;
    for (;;) {
      const bytes = await process.read();
      if (bytes === null || this.#verdict !== null) return null;
      const frames = joinOutput(decoder.push(bytes));
      for (const frame of frames) {
        if (frame.type === FRAME.DONE) {
          if (frame !== frames.at(-1) || !decoder.isBetweenFrames) throw broken("it goes on after its end");
          return decodeDone(frame.payload);
        }
        const wait = this.#receive(frame);
        if (wait === undefined) continue;
        await this.#unlessStopped(wait);
        if (this.#verdict !== null) return null;
      }
    }
  }

  #receive({ type, payload }: Frame): Promise<void> | void {
    if (this.#stage === "returning" && type !== FRAME.ARTIFACTS && type !== FRAME.RESULT) {
      throw broken(`a frame of type ${type} after the guest's end`);
    }
    switch (type) {
      case FRAME.STDOUT:
        return this.#passOn(this.#parts.io.stdout, payload);
      case FRAME.STDERR:
        return this.#passOn(this.#parts.io.stderr, payload);
      case FRAME.ARTIFACTS:
        return this.#returnArtifacts(payload);
      case FRAME.RESULT:
        return this.#returnResult(payload);
      case FRAME.CREDIT:
        this.#pump?.grant(decodeNumber(payload));
        return;
      case FRAME.NEED:
        if (this.#stage !== "preparing") throw broken("it asks for a file after its guest's start");
        return this.#supply.send(new TextDecoder().decode(payload));
      case FRAME.STARTED:
        if (this.#stage !== "preparing") throw broken("its guest starts twice");
        this.#stage = "started";
        return this.#watch.startGuest();
      case FRAME.ENDED:
        return this.#pack();
      default:
        throw broken(`a frame of type ${type}`);
    }
  }

  /** Packing has a time of its own, however little of its own the guest has left. */
  #pack(): void {
    if (this.#stage === "packing" || this.#parts.task.artifacts.length === 0) {
      throw broken("its guest ends twice");
    }
    this.#stage = "packing";
    this.#watch.endGuest();
    this.#watch.startPhase(PACKING_TIMEOUT_MS, () => tooLate("packing artifacts", PACKING_TIMEOUT_MS));
  }

  /** Once it is too much, the slot is killed, and no room is waited for. */
  #passOn(sink: ByteSink, chunk: Uint8Array): Promise<void> | void {
    const taken = this.#output.take(chunk);
    const room = taken.length > 0 ? sink.write(taken) : undefined;
    if (taken.length === chunk.length) return room;
    void this.#stop(this.#output.exceeded());
    return room ?? Promise.resolve();
  }

  #returnArtifacts(part: Uint8Array): Promise<void> {
    const { task: { artifacts, limits }, io } = this.#parts;
    this.#artifactBytes += part.length;
    if (artifacts.length === 0 || this.#artifactBytes > limits.artifactBytes) {
      throw broken("more artifacts than it was asked for");
    }
    return this.#return(io.artifacts, part);
  }

  async #returnResult(part: Uint8Array): Promise<void> {
    const { task: { python }, io: { result } } = this.#parts;
    this.#resultBytes += part.length;
    if (python === undefined || this.#resultBytes > MAX_PYTHON_RESULT_BYTES) {
      throw broken("a larger result than there may be");
    }
    if (result !== undefined) await this.#return(result, part);
  }

  async #return(sink: ByteSink, part: Uint8Array): Promise<void> {
    if (this.#stage !== "returning") {
      this.#stage = "returning";
      this.#watch.endGuest();
      this.#watch.startPhase(ARTIFACTS_TIMEOUT_MS, () => tooLate("sending artifacts", ARTIFACTS_TIMEOUT_MS));
    }
    this.#watch.pause();
    await sink.write(part);
    this.#watch.resume();
  }

  /** Kills the slot under its task. */
  async #stop(verdict: Verdict): Promise<void> {
    this.#verdict ??= verdict;
    this.#watch.stop();
    const killed = this.#parts.process.kill();
    this.#interrupt?.();
    await killed;
  }

  /** Waits for a sink or a file, but no longer than until the slot is killed. */
  #unlessStopped(wait: Promise<void>): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#interrupt = resolve;
      wait.then(resolve, reject);
      if (this.#verdict !== null) resolve();
    }).finally(() => this.#interrupt = null);
  }

  /** The process is gone: because it was killed, or for reasons unknown, which leave its outputs incomplete. */
  async #died(): Promise<ConversationEnd> {
    const { process, task, rssBytes } = this.#parts;
    const how = await process.exited;
    if (this.#verdict instanceof WasimoffError) throw this.#verdict;
    if (this.#verdict !== null) return this.#ended(this.#verdict);
    const gainedBytes = this.#watch.peakRssBytes - rssBytes;
    const outcome = deathOutcome({ how, gainedBytes, capBytes: task.limits.memoryBytes });
    this.#verdict = outcome;
    return this.#ended(outcome, (sink) => sink.abort(new WasimoffError("aborted", outcome.message)));
  }

  #ended(outcome: Outcome, finish: (sink: ByteSink) => void = (sink) => sink.end()): ConversationEnd {
    this.#release(finish);
    const durationMs = performance.now() - this.#startedMs;
    return { result: { outcome, durationMs, memoryBytes: 0 }, rssBytes: 0, keptBytes: 0 };
  }

  #release(finish: (sink: ByteSink) => void): void {
    const { stdin, stdout, stderr, artifacts, result } = this.#parts.io;
    this.#pump?.stop();
    if (stdin !== null) stdin.cancel(new WasimoffError("canceled", "the guest has ended"));
    for (const sink of [stdout, stderr, artifacts]) finish(sink);
    if (result !== undefined) finish(result);
  }
}

function tooLate(what: string, ms: number): Outcome {
  return failed("timeout", "provider", `${what} took longer than ${ms} ms`);
}

/** The outcome of a task whose signal was aborted. */
function stopped(reason: unknown): Outcome {
  const { code, message } = WasimoffError.from(reason, "canceled");
  return code === "deadline_exceeded"
    ? failed("timeout", "broker", message)
    : failed("cancelled", "client", message);
}

function encodeRunOrNull(task: SlotTask, streams: Parameters<typeof encodeRun>[1]): Uint8Array | null {
  try {
    return encodeRun(task, streams);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
