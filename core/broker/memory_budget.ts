/** Memory that all requests of a kind share. */

import { WasimoffError } from "../errors.ts";

export class MemoryBudget {
  readonly #maxBytes: number;
  #taken = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes in use. */
  get taken(): number {
    return this.#taken;
  }

  /** Throws `resource_exhausted` when there is not so much left; then nothing is taken. */
  take(bytes: number): void {
    if (this.#taken + bytes > this.#maxBytes) {
      throw new WasimoffError("resource_exhausted", "too many large requests are under way: try again later");
    }
    this.#taken += bytes;
  }

  give(bytes: number): void {
    this.#taken -= bytes;
  }
}
