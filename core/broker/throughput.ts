/** How many tasks end each second, over a short window. */

/** Seconds that the rate is taken over (wasimoff-v1 8.5). */
const THROUGHPUT_WINDOW_S = 5;

/** Remembers a running total once a second. */
export class Throughput {
  readonly #totals: number[] = [];

  /** To be called each second with the number of tasks that have ended since the start. */
  sample(total: number): void {
    this.#totals.push(total);
    if (this.#totals.length > THROUGHPUT_WINDOW_S + 1) this.#totals.shift();
  }

  /** Tasks per second over the window. */
  get rate(): number {
    return ((this.#totals.at(-1) ?? 0) - (this.#totals[0] ?? 0)) / THROUGHPUT_WINDOW_S;
  }
}
