/** The Python slots of a provider: one is kept warm, others start when they are needed; each runs one task. */

import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { unlessAborted } from "../unless_aborted.ts";
import type { Slot, SlotIo, SlotResult, SlotTask, StartSlot } from "./slot.ts";

export interface PythonPoolOptions {
  readonly start: StartSlot;
  readonly logger: Logger;
}

/** Whoever calls sees to it that there are not too many tasks at once. */
export class PythonPool {
  readonly #options: PythonPoolOptions;
  readonly #closing = new AbortController();
  /** All that were asked for and have not ended. */
  readonly #slots = new Set<Promise<Slot>>();
  /** Those of no task, starting or warm: one, and more only after cancelled tasks. */
  readonly #idle = new Set<Promise<Slot>>();

  private constructor(options: PythonPoolOptions) {
    this.#options = options;
  }

  /** Resolves when one slot is warm; rejects with the error of its start. */
  static async open(options: PythonPoolOptions, signal?: AbortSignal): Promise<PythonPool> {
    const pool = new PythonPool(options);
    const close = () => void pool.close();
    signal?.addEventListener("abort", close, { once: true });
    try {
      signal?.throwIfAborted();
      await pool.#keepWarm();
      return pool;
    } finally {
      signal?.removeEventListener("abort", close);
    }
  }

  /**
   * Runs a task as `Slot.run` does. Rejects with `unavailable` when no slot can be started, and with the signal's
   * reason when that comes before there is one.
   */
  async run(task: SlotTask, io: SlotIo, signal: AbortSignal): Promise<SlotResult> {
    if (this.#closing.signal.aborted) {
      throw new WasimoffError("unavailable", "cannot run a task: the pool is closed");
    }
    const [started = this.#start()] = this.#idle;
    this.#idle.delete(started);
    const slot = await this.#slotFor(started, signal);
    // Only now: two starts at once take twice as long, and one of them has a task that waits.
    this.#keepWarm().catch(() => {}); // the log says so, and the next task tries again
    try {
      return await slot.run(task, io, signal);
    } finally {
      await slot.close();
    }
  }

  /** Ends every slot, also under its task; resolves when all are gone. */
  async close(): Promise<void> {
    this.#closing.abort(new WasimoffError("unavailable", "the pool is closed"));
    await Promise.all([...this.#slots].map((started) => started.then((slot) => slot.close(), () => {})));
  }

  async #keepWarm(): Promise<void> {
    if (this.#idle.size > 0) return;
    const started = this.#start();
    this.#idle.add(started);
    await started;
  }

  #start(): Promise<Slot> {
    const started = this.#options.start(this.#closing.signal);
    this.#slots.add(started);
    const forget = () => {
      this.#slots.delete(started);
      this.#idle.delete(started);
    };
    started.then(({ ended }) => ended.then(forget), (error) => {
      forget();
      if (!this.#closing.signal.aborted) this.#options.logger.error("cannot start a Python slot", { error });
    });
    return started;
  }

  /** A slot whose task is gone before it was warm is for the next one. */
  async #slotFor(started: Promise<Slot>, signal: AbortSignal): Promise<Slot> {
    try {
      return await unlessAborted(started, signal);
    } catch (error) {
      if (signal.aborted && this.#slots.has(started)) this.#idle.add(started);
      throw error;
    }
  }
}
