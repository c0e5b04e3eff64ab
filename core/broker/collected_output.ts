/** An output of a task that is kept until its end, for clients that get all of it at once. */

import type { ByteSink } from "../byte_stream.ts";
import { WasimoffError } from "../errors.ts";
import type { MemoryBudget } from "./memory_budget.ts";

/** First size of a buffer that doubles when it is full. */
const FIRST_BYTES = 256;

/**
 * Copies what is written: small pieces would keep the large buffers alive in which they came. A write fails with
 * `out_of_range` beyond `maxBytes` and with `resource_exhausted` when the budget is used up.
 */
export class CollectedOutput implements ByteSink {
  readonly #maxBytes: number;
  readonly #budget: MemoryBudget;
  #buffer = new Uint8Array(0);
  #length = 0;

  constructor(maxBytes: number, budget: MemoryBudget) {
    this.#maxBytes = maxBytes;
    this.#budget = budget;
  }

  /** What was written; a view until `release`. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#length);
  }

  write(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#maxBytes) {
      throw new WasimoffError("out_of_range", `output is larger than ${this.#maxBytes} bytes`);
    }
    this.#budget.take(chunk.length);
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
