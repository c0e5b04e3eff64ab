/** An output that is kept until the task has ended, for brokers that get all of it at once. */

import type { ByteSink } from "../byte_stream.ts";
import { WasimoffError } from "../errors.ts";
import { joinChunks } from "../join_chunks.ts";

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
    return joinChunks(this.#chunks);
  }
}
