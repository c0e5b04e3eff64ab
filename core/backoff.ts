/** Waiting times between attempts to reach a peer; make a fresh one for each connect. */

export interface BackoffOptions {
  readonly firstMs?: number;
  readonly maxMs?: number;
  /** A number in [0, 1); injected so that tests know what they get. */
  readonly random?: () => number;
}

/** Doubles from `firstMs` to `maxMs`, each time with full jitter in the upper half, so crowds spread out. */
export class Backoff {
  readonly #maxMs: number;
  readonly #random: () => number;
  #ceilingMs: number;

  constructor({ firstMs = 100, maxMs = 10_000, random = Math.random }: BackoffOptions = {}) {
    this.#ceilingMs = firstMs;
    this.#maxMs = maxMs;
    this.#random = random;
  }

  /** The next wait in milliseconds: between half the ceiling and the ceiling. */
  next(): number {
    const ceiling = this.#ceilingMs;
    this.#ceilingMs = Math.min(ceiling * 2, this.#maxMs);
    return ceiling * (0.5 + 0.5 * this.#random());
  }
}
