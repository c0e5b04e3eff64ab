/** Lets short tasks wait at the provider, so that a slot that is done has its next one at hand. */

import { WasimoffError } from "../errors.ts";
import type { RunInSlot } from "./provider_options.ts";
import type { SlotIo, SlotResult, SlotTask } from "./slot.ts";

/** Tasks that may wait for each slot: as many as a slot does while broker and provider talk once. */
export const BACKLOG_PER_SLOT = 8;
/** Tasks are short when they take less than this on average: then the way to the broker costs as much. */
export const SHORT_TASK_MS = 2;
/** A task that takes longer is not short: what waits behind it is sent back, and may run elsewhere. */
export const MAX_WAIT_MS = 10;
/** Weight of the newest time in the moving mean. */
const WEIGHT = 0.1;

export interface BacklogOptions {
  readonly slots: number;
  /** Runs a task in a slot; there is one free whenever this is called. */
  readonly runInSlot: RunInSlot;
  /** Told how many tasks may wait from now on: none, or BACKLOG_PER_SLOT for each slot. */
  readonly onChange: (backlog: number) => void;
}

/** Opens itself while tasks are short, and closes at the first that is not. */
export class Backlog {
  readonly #options: BacklogOptions;
  readonly #waiting: PromiseWithResolvers<void>[] = [];
  /** When each running task began, oldest first. */
  readonly #running = new Set<{ readonly ms: number }>();
  /** Slots in use: one that is handed to a waiting task is never seen as free. */
  #taken = 0;
  /** Moving mean of a task's time; begins above SHORT_TASK_MS, so that a few must be short first. */
  #meanMs = 2 * SHORT_TASK_MS;
  #room = 0;
  #watch: ReturnType<typeof setTimeout> | undefined;

  constructor(options: BacklogOptions) {
    this.#options = options;
  }

  /** Tasks that wait for a slot. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Runs a task as soon as a slot is free. Rejects with `resource_exhausted` when it may not wait, or has to for
   * too long: it can run elsewhere, nothing of it has begun.
   */
  async run(task: SlotTask, io: SlotIo, signal: AbortSignal): Promise<SlotResult> {
    if (this.#taken < this.#options.slots) this.#taken++;
    else await this.#turn(signal);
    const begun = { ms: performance.now() };
    this.#running.add(begun);
    try {
      return await this.#options.runInSlot(task, io, signal);
    } finally {
      this.#running.delete(begun);
      this.#measure(performance.now() - begun.ms);
      const next = this.#waiting.shift();
      if (next === undefined) this.#taken--;
      else next.resolve();
    }
  }

  /** Resolves when a slot is handed over. */
  async #turn(signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= this.#room) throw busy();
    const turn = Promise.withResolvers<void>();
    this.#waiting.push(turn);
    const leave = () => {
      const at = this.#waiting.indexOf(turn);
      if (at < 0) return; // its turn has come
      this.#waiting.splice(at, 1);
      turn.reject(signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
    this.#watch ??= setTimeout(() => this.#look(), MAX_WAIT_MS);
    try {
      await turn.promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  #measure(ms: number): void {
    this.#meanMs += WEIGHT * (ms - this.#meanMs);
    if (this.#meanMs > SHORT_TASK_MS) this.#close();
    else if (this.#room === 0) this.#change(this.#options.slots * BACKLOG_PER_SLOT);
  }

  /** While tasks wait, looks now and then for one that runs for too long. */
  #look(): void {
    this.#watch = undefined;
    if (this.#waiting.length === 0) return;
    const [oldest] = this.#running;
    if (oldest !== undefined && performance.now() - oldest.ms >= MAX_WAIT_MS) return this.#close();
    this.#watch = setTimeout(() => this.#look(), MAX_WAIT_MS);
  }

  /** Takes no more, and sends back what waits: told first, so that it does not come here again. */
  #close(): void {
    if (this.#room === 0) return;
    this.#meanMs = 2 * SHORT_TASK_MS;
    this.#change(0);
    for (const turn of this.#waiting.splice(0)) turn.reject(busy());
  }

  #change(room: number): void {
    this.#room = room;
    this.#options.onChange(room);
  }
}

function busy(): WasimoffError {
  return new WasimoffError("resource_exhausted", "every slot is taken");
}
