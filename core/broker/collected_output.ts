/** An output of a task that is kept until its end, for clients that get all of it at once. */

import type { ByteSink } from "../byte_stream.ts";
import { WasimoffError } from "../errors.ts";
import type { MemoryBudget } from "./memory_budget.ts";

/** First size of a buffer that doubles when it is full. */
const FIRST_BYTES = 256;

/**
 * Copies what is written: small pieces would keep the large buffers alive in which they came. A write that finds no
 * room fails with `data_loss`, which ends the task: a further attempt would leave out what counts as delivered.
 */
export class CollectedOutput implements ByteSink {
  readonly #maxBytes: number;
  readonly #budget: MemoryBudget;
  #buffer = new Uint8Array(0);
  #length = 0;
  #failure: WasimoffError | null = null;

  constructor(maxBytes: number, budget: MemoryBudget) {
    this.#maxBytes = maxBytes;
    this.#budget = budget;
  }

  /** What was written; a view until `release`. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Why something is missing: `out_of_range` beyond `maxBytes`, `resource_exhausted` beyond the budget; else null. */
  get failure(): WasimoffError | null {
    return this.#failure;
  }

  write(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    try {
      if (this.#failure !== null) throw this.#failure;
      if (length > this.#maxBytes) {
        throw new WasimoffError("out_of_range", `output is larger than ${this.#maxBytes} bytes`);
      }
      this.#budget.take(chunk.length);
    } catch (error) {
      this.#failure = WasimoffError.from(error);
      throw new WasimoffError("data_loss", this.#failure.message);
    }
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#buffer.length, FIRST_BYTES));
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    this.#buffer.set(chunk, this.#length);
    this.#length = length;
  }

  end(): void {}

  abort(): void {}

  /** Gives the memory back; to be called once. */
  release(): void {
    this.#budget.give(this.#length);
  }
}
