/** What a provider and a slot say to each other about one task, seen from the provider. */

import { WasimoffError } from "../errors.ts";
import { failed, type Outcome } from "../outcome.ts";
import type { ByteSink } from "../byte_stream.ts";
import type { FileRef } from "../storage/file_store.ts";
import type { SlotFile, SlotIo, SlotResult, SlotTask } from "./slot.ts";
import { decodeDone, type DoneHeader, encodeRun } from "./slot_headers.ts";
import { broken, decodeNumber, FRAME, type Frame, type FrameDecoder } from "./slot_protocol.ts";
import type { SlotProcess } from "./slot_process.ts";
import { sendFile } from "./slot_supply.ts";
import { StdinPump } from "./stdin_pump.ts";

/** Time for compiling a module and unpacking ZIPs, once they are in the slot: a hostile one may need for ever. */
export const PREPARE_TIMEOUT_MS = 30_000;
/** What setTimeout can count to. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface ConversationParts {
  readonly process: SlotProcess;
  readonly decoder: FrameDecoder;
  readonly task: SlotTask;
  readonly io: SlotIo;
}

export interface ConversationEnd {
  readonly result: SlotResult;
  readonly rssBytes: number;
}

/** Why the slot was killed under its task: a result, or an error to reject with. */
type Verdict = Outcome | WasimoffError;

export class SlotConversation {
  readonly #parts: ConversationParts;
  readonly #startedMs = performance.now();
  readonly #pump: StdinPump | null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The first reason to kill the slot wins. */
  #verdict: Verdict | null = null;
  /** Ends the wait for something that is not the slot; null while there is none. */
  #interrupt: (() => void) | null = null;
  /** The error of `load`, when a file could not be had. */
  #loadError: unknown = null;

  constructor(parts: ConversationParts) {
    const { process, io } = parts;
    this.#parts = parts;
    this.#pump = io.stdin === null ? null : new StdinPump(io.stdin, (frame) => process.write(frame));
  }

  /** Whether the slot lives on. */
  get alive(): boolean {
    return this.#verdict === null;
  }

  /** Has the task run; see `Slot.run`. */
  async run(signal: AbortSignal): Promise<ConversationEnd> {
    const onAbort = () => this.#stop(stopped(signal.reason));
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const end = await this.#converse(signal);
      this.#release((sink) => sink.end());
      return end;
    } catch (error) {
      const cause = WasimoffError.from(error, "internal");
      if (this.#loadError === null) await this.#stop(cause);
      this.#release((sink) => sink.abort(cause));
      throw cause;
    } finally {
      clearTimeout(this.#timer);
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #converse(signal: AbortSignal): Promise<ConversationEnd> {
    if (signal.aborted) return this.#ended(stopped(signal.reason));
    const { process, task } = this.#parts;
    const run = encodeRunOrNull(task, this.#pump !== null);
    if (run === null) {
      return this.#ended(failed("rejected", "provider", "arguments and environment are too large"));
    }
    this.#armTimer(task.limits.timeoutMs, "guest ran longer than its limit");
    void process.write(run);
    this.#pump?.run().catch((error) => this.#stop(WasimoffError.from(error)));
    const done = await this.#readFrames();
    if (done === null) return await this.#died();
    if (this.#loadError !== null) throw this.#loadError;
    const { rssBytes, ...result } = done;
    return { result, rssBytes };
  }

  /** Reads until the task's end; null when the process ended first. */
  async #readFrames(): Promise<DoneHeader | null> {
    const { process, decoder } = this.#parts;
    for (;;) {
      const bytes = await process.read();
      if (bytes === null || this.#verdict !== null) return null;
      for (const frame of decoder.push(bytes)) {
        if (frame.type === FRAME.DONE) return decodeDone(frame.payload);
        const wait = this.#receive(frame);
        if (wait === undefined) continue;
        await this.#unlessStopped(wait);
        if (this.#verdict !== null) return null;
      }
    }
  }

  #receive({ type, payload }: Frame): Promise<void> | void {
    const { stdout, stderr, artifacts } = this.#parts.io;
    switch (type) {
      case FRAME.STDOUT:
        return stdout.write(payload);
      case FRAME.STDERR:
        return stderr.write(payload);
      case FRAME.ARTIFACTS: // the guest has ended: its time is no longer running
        clearTimeout(this.#timer);
        return artifacts.write(payload);
      case FRAME.CREDIT:
        this.#pump?.grant(decodeNumber(payload));
        return;
      case FRAME.NEED:
        return this.#supply(new TextDecoder().decode(payload));
      case FRAME.STARTED:
        return this.#armTimer(this.#parts.task.limits.timeoutMs, "guest ran longer than its limit");
      default:
        throw broken(`a frame of type ${type}`);
    }
  }

  async #supply(ref: string): Promise<void> {
    clearTimeout(this.#timer);
    const file = fileOf(this.#parts.task, ref);
    const failure = await sendFile(file, (frame) => this.#parts.process.write(frame));
    this.#loadError ??= failure;
    if (this.alive) this.#armTimer(PREPARE_TIMEOUT_MS, "preparing the module and its files took longer than");
  }

  #armTimer(ms: number, what: string): void {
    clearTimeout(this.#timer);
    const outcome = failed("timeout", "provider", `${what}: ${ms} ms`);
    this.#timer = setTimeout(() => this.#stop(outcome), Math.min(ms, MAX_TIMER_MS));
  }

  /** Kills the slot under its task. */
  async #stop(verdict: Verdict): Promise<void> {
    this.#verdict ??= verdict;
    clearTimeout(this.#timer);
    const killed = this.#parts.process.kill();
    this.#interrupt?.();
    await killed;
  }

  /** Waits for a sink or a file, but no longer than until the slot is killed. */
  #unlessStopped(wait: Promise<void>): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#interrupt = resolve;
      wait.then(resolve, reject);
    }).then(() => {
      this.#interrupt = null;
    });
  }

  async #died(): Promise<ConversationEnd> {
    const how = await this.#parts.process.exited;
    const verdict = this.#verdict ??= new WasimoffError("aborted", "slot died under the task", {
      cause: how,
    });
    if (verdict instanceof WasimoffError) throw verdict;
    return this.#ended(verdict);
  }

  #ended(outcome: Outcome): ConversationEnd {
    const durationMs = performance.now() - this.#startedMs;
    return { result: { outcome, durationMs, memoryBytes: 0 }, rssBytes: 0 };
  }

  #release(finish: (sink: ByteSink) => void): void {
    const { stdin, stdout, stderr, artifacts } = this.#parts.io;
    this.#pump?.stop();
    if (stdin !== null) stdin.cancel(new WasimoffError("canceled", "the guest has ended"));
    for (const sink of [stdout, stderr, artifacts]) finish(sink);
  }
}

/** The outcome of a task whose signal was aborted. */
function stopped(reason: unknown): Outcome {
  const { code, message } = WasimoffError.from(reason, "canceled");
  return code === "deadline_exceeded"
    ? failed("timeout", "broker", message)
    : failed("cancelled", "client", message);
}

function encodeRunOrNull(task: SlotTask, stdin: boolean): Uint8Array | null {
  try {
    return encodeRun(task, stdin);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function fileOf({ module, preopens }: SlotTask, ref: string): SlotFile {
  const files = [module, ...preopens.flatMap(({ zip }) => zip ?? [])];
  const file = files.find((candidate) => candidate.ref === (ref as FileRef));
  if (file === undefined) throw broken(`it asks for "${ref}", which is no file of the task`);
  return file;
}
