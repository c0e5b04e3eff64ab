/** Lets tasks wait for a free slot, first come first served, where their sender does not count slots. */

import { WasimoffError } from "../errors.ts";

export interface SlotLineOptions {
  readonly slots: number;
  /** Tasks that may wait at once. */
  readonly maxWaiting: number;
}

export class SlotLine {
  readonly #options: SlotLineOptions;
  readonly #waiting: PromiseWithResolvers<void>[] = [];
  /** Slots in use: one that is handed to a waiting task is never seen as free. */
  #taken = 0;

  constructor(options: SlotLineOptions) {
    this.#options = options;
  }

  get taken(): number {
    return this.#taken;
  }

  get idle(): number {
    return this.#options.slots - this.#taken;
  }

  /**
   * Resolves when a slot is the caller's, with the function that gives it back (to be called once). Rejects with
   * `resource_exhausted` when too many wait already, and with the signal's reason.
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.idle > 0) this.#taken++;
    else await this.#turn(signal);
    return () => this.#leave();
  }

  async #turn(signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= this.#options.maxWaiting) {
      throw new WasimoffError("resource_exhausted", "too many tasks wait for a slot");
    }
    const turn = Promise.withResolvers<void>();
    this.#waiting.push(turn);
    const giveUp = () => {
      const at = this.#waiting.indexOf(turn);
      if (at < 0) return; // its turn has come
      this.#waiting.splice(at, 1);
      turn.reject(signal.reason);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      await turn.promise;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken--;
    else next.resolve();
  }
}
