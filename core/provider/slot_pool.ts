/** The slots of a provider: kept warm, handed out one per task, replaced when they are worn or dead. */

import { Backoff } from "../backoff.ts";
import { delay } from "../delay.ts";
import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Slot, SlotIo, SlotResult, SlotTask, StartSlot } from "./slot.ts";
import { SlotSeat } from "./slot_seat.ts";

export interface SlotPoolOptions {
  /** How many tasks run at the same time. */
  readonly size: number;
  readonly start: StartSlot;
  readonly logger: Logger;
  /** A number in [0, 1), for the waits between failed starts. */
  readonly random?: () => number;
}

/** A process each: more would bring down the machine, and a broker believes no more. */
export const MAX_POOL_SIZE = 1_024;
/** A task that came while its slot was being replaced waits this long at most. */
export const REPLACE_WAIT_MS = 5_000;

/** Runs at most `size` tasks at a time and never queues one. */
export class SlotPool {
  readonly #options: SlotPoolOptions;
  readonly #closing = new AbortController();
  readonly #idle: SlotSeat[] = [];
  /** Every slot that has not ended, busy ones too. */
  readonly #slots = new Set<Slot>();
  /** Those that have not run a task yet. */
  readonly #untried = new Set<Slot>();
  /** Tasks that have their place but whose slot is still starting. */
  readonly #waiting: ((seat: SlotSeat) => void)[] = [];
  readonly #starts = new Set<Promise<void>>();
  /** Paces the replacement of slots that fail before they ran anything; fresh after each task. */
  #backoff: Backoff;
  #running = 0;
  /** Starts that have failed and are tried again. */
  #failing = 0;

  private constructor(options: SlotPoolOptions) {
    this.#options = options;
    this.#backoff = this.#newBackoff();
  }

  /** Resolves when all slots are warm; rejects with the error of the first one that does not start. */
  static async open(options: SlotPoolOptions, signal?: AbortSignal): Promise<SlotPool> {
    if (!Number.isInteger(options.size) || options.size < 1) {
      throw new RangeError("a pool has at least one slot");
    }
    if (options.size > MAX_POOL_SIZE) {
      const message = `cannot run ${options.size} tasks at once: give at most ${MAX_POOL_SIZE}`;
      throw new WasimoffError("invalid_argument", message);
    }
    const pool = new SlotPool(options);
    const either = signal ? AbortSignal.any([signal, pool.#closing.signal]) : pool.#closing.signal;
    const starts = Array.from({ length: options.size }, async () => pool.#add(await options.start(either)));
    try {
      await Promise.all(starts);
      return pool;
    } catch (error) {
      pool.#closing.abort(error);
      await Promise.allSettled(starts);
      await pool.close();
      throw error;
    }
  }

  /** How many tasks may run at the same time. */
  get slots(): number {
    return this.#options.size;
  }

  /** How many more tasks can run now. */
  get idle(): number {
    return Math.max(0, this.#options.size - this.#running - this.#failing);
  }

  /**
   * Runs a task as `Slot.run` does, in the free slot that suits it best. Rejects with
   * `resource_exhausted` at once when all are busy, and with `unavailable` when no slot can be started.
   */
  async run(task: SlotTask, io: SlotIo, signal: AbortSignal): Promise<SlotResult> {
    if (this.#closing.signal.aborted) {
      throw new WasimoffError("unavailable", "cannot run a task: the pool is closed");
    }
    if (this.idle === 0) throw new WasimoffError("resource_exhausted", "cannot run a task: no slot is free");
    this.#running += 1;
    try {
      const seat = this.#take(task) ?? await this.#nextSeat(signal);
      try {
        this.#untried.delete(seat.slot);
        const result = await seat.slot.run(task, io, signal);
        this.#backoff = this.#newBackoff();
        return result;
      } finally {
        this.#giveBack(seat, task);
      }
    } finally {
      this.#running -= 1;
    }
  }

  /** Ends every slot, also under its task; resolves when all are gone. */
  async close(): Promise<void> {
    this.#closing.abort(new WasimoffError("unavailable", "the pool is closed"));
    await Promise.all([...this.#slots].map((slot) => slot.close()));
    await Promise.all(this.#starts);
  }

  #add(slot: Slot): void {
    this.#slots.add(slot);
    this.#untried.add(slot);
    void slot.ended.then(() => this.#lost(slot));
    this.#offer(new SlotSeat(slot));
  }

  #offer(seat: SlotSeat): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(seat);
    else this.#idle.push(seat);
  }

  /** The idle slot that suits the task best; of several, the one that was idle for longest. */
  #take(task: SlotTask): SlotSeat | undefined {
    let [best, bestFit]: [SlotSeat | undefined, number] = [undefined, -1];
    for (const seat of this.#idle) {
      const fit = seat.slot.usable ? seat.fit(task) : -1;
      if (fit > bestFit) [best, bestFit] = [seat, fit];
    }
    if (best) this.#idle.splice(this.#idle.indexOf(best), 1);
    return best;
  }

  #giveBack(seat: SlotSeat, task: SlotTask): void {
    seat.remember(task);
    if (seat.slot.usable) this.#offer(seat);
    else void seat.slot.close(); // its end brings the next one
  }

  #lost(slot: Slot): void {
    this.#slots.delete(slot);
    const index = this.#idle.findIndex((seat) => seat.slot === slot);
    if (index >= 0) this.#idle.splice(index, 1);
    const atOnce = !this.#untried.delete(slot);
    if (this.#closing.signal.aborted) return;
    const start = this.#replace(atOnce).finally(() => this.#starts.delete(start));
    this.#starts.add(start);
  }

  /** Starts one slot, as often as it takes. */
  async #replace(atOnce: boolean): Promise<void> {
    const { start, logger } = this.#options;
    const { signal } = this.#closing;
    if (!atOnce) this.#failing += 1;
    for (let failed = !atOnce; !signal.aborted; failed = true) {
      try {
        if (failed) await delay(this.#backoff.next(), signal);
        const slot = await start(signal);
        if (failed) this.#failing -= 1;
        if (!signal.aborted) return this.#add(slot);
        await slot.close();
      } catch (error) {
        if (signal.aborted) return;
        if (!failed) this.#failing += 1;
        logger.error("cannot start a slot", { error });
      }
    }
  }

  #newBackoff(): Backoff {
    const { random } = this.#options;
    return new Backoff(random ? { random } : {});
  }

  /** The next seat that is offered. Whoever leaves, leaves at once: a seat given to nobody would be lost. */
  #nextSeat(signal: AbortSignal): Promise<SlotSeat> {
    const { promise, resolve, reject } = Promise.withResolvers<SlotSeat>();
    this.#waiting.push(resolve);
    const leave = (reason: unknown) => {
      const index = this.#waiting.indexOf(resolve);
      if (index >= 0) this.#waiting.splice(index, 1);
      reject(reason);
    };
    const either = AbortSignal.any([signal, this.#closing.signal]);
    const onAbort = () => leave(either.reason);
    if (either.aborted) onAbort();
    either.addEventListener("abort", onAbort, { once: true });
    const late = new WasimoffError("unavailable", "cannot run a task: its slot does not start");
    const timer = setTimeout(() => leave(late), REPLACE_WAIT_MS);
    return promise.finally(() => {
      clearTimeout(timer);
      either.removeEventListener("abort", onAbort);
    });
  }
}
