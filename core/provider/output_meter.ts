/** Counts what a guest writes to its outputs, where somebody stores it. */

import { failed, type Outcome } from "../outcome.ts";

export class OutputMeter {
  readonly #maxBytes: number;
  #leftBytes: number;

  /** null for no limit. */
  constructor(maxBytes: number | null) {
    this.#maxBytes = maxBytes ?? Infinity;
    this.#leftBytes = this.#maxBytes;
  }

  /** What of the chunk is within the limit: all of it, or less, which is then the last that may be passed on. */
  take(chunk: Uint8Array): Uint8Array {
    const taken = chunk.length <= this.#leftBytes ? chunk : chunk.subarray(0, this.#leftBytes);
    this.#leftBytes -= taken.length;
    return taken;
  }

  /** How a task ends that wrote more. */
  exceeded(): Outcome {
    return failed("limit", "provider", `guest wrote more output than its limit: ${this.#maxBytes} bytes`);
  }
}
