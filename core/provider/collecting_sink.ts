/** An output that is kept until the task has ended, for brokers that get all of it at once. */

import type { ByteSink } from "../byte_stream.ts";
import { WasimoffError } from "../errors.ts";

export class CollectingSink implements ByteSink {
  readonly #maxBytes: number;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  write(chunk: Uint8Array): void {
    if (this.#size + chunk.length > this.#maxBytes) {
      throw new WasimoffError("out_of_range", `output has more than ${this.#maxBytes} bytes`);
    }
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  end(): void {}

  abort(): void {}

  /** All that was written. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.#size);
    let at = 0;
    for (const chunk of this.#chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }
}
