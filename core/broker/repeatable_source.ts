/** A task's stdin that a second attempt can read again from the start, as long as it is small. */

import type { ByteSource } from "../byte_stream.ts";
import { WasimoffError } from "../errors.ts";

/** Streamed stdin that is kept for a further attempt; beyond it the task cannot be repeated. */
export const MAX_KEPT_STDIN_BYTES = 1024 * 1024;

/** Reads its source once and gives every attempt the same bytes. Only the latest attempt may read. */
export class RepeatableSource {
  readonly #source: ByteSource;
  readonly #onUnrepeatable: () => void;
  /** Chunks from `#base` on; all of them while the source can be repeated. */
  #chunks: Uint8Array[] = [];
  #base = 0;
  #bytes = 0;
  #repeatable = true;
  #attempt = 0;
  #reading: Promise<boolean> | null = null;

  constructor(source: ByteSource, onUnrepeatable: () => void) {
    this.#source = source;
    this.#onUnrepeatable = onUnrepeatable;
  }

  /** What the next attempt reads. Its `cancel` stops that attempt only. */
  attempt(): ByteSource {
    const attempt = ++this.#attempt;
    let index = 0;
    return {
      read: async () => {
        for (;;) {
          if (attempt !== this.#attempt) throw new WasimoffError("aborted", "attempt is over");
          const chunk = this.#chunks[index - this.#base];
          if (chunk !== undefined) {
            index++;
            this.#dropBefore(index);
            return chunk;
          }
          if (!await (this.#reading ??= this.#readOn())) return null;
        }
      },
      cancel: () => {
        if (attempt === this.#attempt) this.#attempt++;
      },
    };
  }

  /** The task has ended: nobody reads on. */
  close(): void {
    this.#attempt++;
    this.#chunks = [];
    this.#source.cancel(new WasimoffError("canceled", "task has ended"));
  }

  /** False at the end. One read is shared by an attempt that was lost meanwhile and its successor. */
  async #readOn(): Promise<boolean> {
    const chunk = await this.#source.read();
    if (chunk === null) return false; // `#reading` stays: every later read sees the end, or the failure, again
    this.#reading = null;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#repeatable && this.#bytes > MAX_KEPT_STDIN_BYTES) {
      this.#repeatable = false;
      this.#onUnrepeatable();
    }
    return true;
  }

  #dropBefore(index: number): void {
    if (this.#repeatable) return;
    this.#chunks.splice(0, index - this.#base);
    this.#base = index;
  }
}
