/** A guest's standard input inside the slot: a bounded queue between the pipe and `fd_read`. */

import { broken, STDIN_WINDOW_BYTES } from "./slot_protocol.ts";

/** Granting in large steps keeps small reads from costing a frame each. */
const GRANT_BYTES = STDIN_WINDOW_BYTES / 4;

const END = new Uint8Array();

/** Never holds more than the window; `grant` is told, in steps, how many bytes the guest has read. */
export class SlotStdin {
  readonly #grant: (bytes: number) => void;
  readonly #queue: Uint8Array[] = [];
  #queued = 0;
  #ended: boolean;
  #read = 0;
  /** Resolves when there is something to read; null while nobody waits. */
  #arrival: PromiseWithResolvers<void> | null = null;

  constructor({ ended, grant }: { ended: boolean; grant: (bytes: number) => void }) {
    this.#ended = ended;
    this.#grant = grant;
  }

  /** Throws `internal` when the provider sends more than it was granted. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.#queued + chunk.length > STDIN_WINDOW_BYTES) throw broken("more stdin than was granted");
    this.#queue.push(chunk);
    this.#queued += chunk.length;
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  ready(): true | Promise<void> {
    if (this.#queued > 0 || this.#ended) return true;
    this.#arrival ??= Promise.withResolvers();
    return this.#arrival.promise;
  }

  /** Up to `max` bytes; empty at the end; a promise while there is nothing. */
  read(max: number): Uint8Array | Promise<Uint8Array> {
    const ready = this.ready();
    return ready === true ? this.#take(max) : ready.then(() => this.#take(max));
  }

  #take(max: number): Uint8Array {
    const first = this.#queue[0];
    if (first === undefined) return END;
    const bytes = first.subarray(0, max);
    if (bytes.length === first.length) this.#queue.shift();
    else this.#queue[0] = first.subarray(bytes.length);
    this.#queued -= bytes.length;
    this.#read += bytes.length;
    if (this.#read >= GRANT_BYTES) {
      this.#grant(this.#read);
      this.#read = 0;
    }
    return bytes;
  }

  #wake(): void {
    this.#arrival?.resolve();
    this.#arrival = null;
  }
}
