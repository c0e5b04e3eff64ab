/** A task's stdin that a second attempt can read again from the start, as long as it is small. */

import type { ByteSource } from "../byte_stream.ts";
import { WasimoffError } from "../errors.ts";
import type { KeptBytes } from "./kept_bytes.ts";

/** Streamed stdin that is kept for a further attempt in any case. */
export const FREE_KEPT_STDIN_BYTES = 1024 * 1024;
/**
 * Beyond it the task cannot be repeated: a little more than a provider of wasimoff_v1 takes, so that a stdin which
 * turns out to be longer can still be given to another. What exceeds the free part counts against all tasks.
 */
export const MAX_KEPT_STDIN_BYTES = 17 * 1024 * 1024;

/** Reads its source once and gives every attempt the same bytes. Only the latest attempt may read. */
export class RepeatableSource {
  readonly #source: ByteSource;
  readonly #onUnrepeatable: () => void;
  readonly #kept: KeptBytes;
  /** What is reserved of them. */
  #reserved = 0;
  /** Chunks from `#base` on; all of them while the source can be repeated. */
  #chunks: Uint8Array[] = [];
  #base = 0;
  #bytes = 0;
  #repeatable = true;
  #attempt = 0;
  #reading: Promise<boolean> | null = null;

  constructor(source: ByteSource, onUnrepeatable: () => void, kept: KeptBytes) {
    this.#source = source;
    this.#kept = kept;
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
    this.#repeatable = false;
    this.#release();
    this.#source.cancel(new WasimoffError("canceled", "task has ended"));
  }

  /** False at the end. One read is shared by an attempt that was lost meanwhile and its successor. */
  async #readOn(): Promise<boolean> {
    const chunk = await this.#source.read();
    if (chunk === null) return false; // `#reading` stays: every later read sees the end, or the failure, again
    this.#reading = null;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#repeatable && !this.#mayKeep()) {
      this.#repeatable = false;
      this.#release();
      this.#onUnrepeatable();
    }
    return true;
  }

  #mayKeep(): boolean {
    if (this.#bytes > MAX_KEPT_STDIN_BYTES) return false;
    const more = Math.max(0, this.#bytes - FREE_KEPT_STDIN_BYTES) - this.#reserved;
    if (!this.#kept.take(more)) return false;
    this.#reserved += more;
    return true;
  }

  #release(): void {
    this.#kept.give(this.#reserved);
    this.#reserved = 0;
  }

  #dropBefore(index: number): void {
    if (this.#repeatable) return;
    this.#chunks.splice(0, index - this.#base);
    this.#base = index;
  }
}
