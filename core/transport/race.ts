/** Takes the first of several ways that works. */

import { WasimoffError } from "../errors.ts";

/** One of several ways to the same end. */
export interface Leg<T> {
  /** How long others may try before it begins; it begins sooner when all that have begun have failed. */
  readonly delayMs: number;
  /** The signal is not aborted any more once it has won. */
  readonly open: (signal: AbortSignal) => Promise<T>;
}

export interface RaceOptions<T> {
  /** Gets what a leg brings although another was first, or the race was called off. */
  readonly discard: (late: T) => void;
  /** Ends all legs, and the race. */
  readonly signal: AbortSignal;
}

/**
 * The result of the first leg that succeeds; the others are aborted then. Rejects with the reason of
 * `signal`, or, when every leg has failed, with an AggregateError that has their errors in the order of `legs`.
 */
export async function race<T>(legs: readonly Leg<T>[], options: RaceOptions<T>): Promise<T> {
  if (legs.length === 0) throw new TypeError("a race needs a leg");
  const { signal } = options;
  if (signal.aborted) throw WasimoffError.from(signal.reason, "canceled");
  const run = new Race(legs, options);
  const callOff = () => run.end(WasimoffError.from(signal.reason, "canceled"));
  signal.addEventListener("abort", callOff, { once: true });
  try {
    return await run.result;
  } finally {
    signal.removeEventListener("abort", callOff);
  }
}

class Race<T> {
  readonly #legs: readonly Leg<T>[];
  readonly #discard: (late: T) => void;
  readonly #end = Promise.withResolvers<T>();
  readonly #errors: unknown[];
  readonly #stops: readonly AbortController[];
  #over = false;
  /** Legs that have not begun, by their index. */
  readonly #waiting = new Map<number, ReturnType<typeof setTimeout>>();
  #running = 0;

  constructor(legs: readonly Leg<T>[], { discard }: RaceOptions<T>) {
    this.#legs = legs;
    this.#discard = discard;
    this.#errors = new Array(legs.length);
    this.#stops = legs.map(() => new AbortController());
    for (const [index, { delayMs }] of legs.entries()) {
      this.#waiting.set(index, setTimeout(() => void this.#begin(index), delayMs));
    }
    this.#beginSoonest();
  }

  get result(): Promise<T> {
    return this.#end.promise;
  }

  /** Ends it without a winner, unless it has ended. */
  end(reason: unknown): void {
    this.#end.reject(reason);
    this.#stop(reason);
  }

  #stop(reason: unknown, winner?: number): void {
    this.#over = true;
    for (const timer of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
    for (const [index, stop] of this.#stops.entries()) if (index !== winner) stop.abort(reason);
  }

  #beginSoonest(): void {
    const soonestMs = Math.min(...[...this.#waiting.keys()].map((index) => this.#legs[index]!.delayMs));
    for (const index of [...this.#waiting.keys()]) {
      if (this.#legs[index]!.delayMs === soonestMs) void this.#begin(index);
    }
  }

  async #begin(index: number): Promise<void> {
    clearTimeout(this.#waiting.get(index));
    this.#waiting.delete(index);
    this.#running++;
    try {
      const result = await this.#legs[index]!.open(this.#stops[index]!.signal);
      if (this.#over) return this.#discard(result);
      this.#end.resolve(result);
      this.#stop(new WasimoffError("canceled", "another way was faster"), index);
    } catch (error) {
      this.#errors[index] = error;
      if (--this.#running > 0 || this.#over) return;
      if (this.#waiting.size > 0) this.#beginSoonest();
      else this.end(new AggregateError(this.#errors, "every way has failed"));
    }
  }
}
