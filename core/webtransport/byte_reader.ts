/** Reads the header of a stream exactly, so that the rest can be handed over, or all of it with a small buffer. */

import { delay } from "../delay.ts";
import { joinChunks } from "../join_chunks.ts";
import type { QuicReceiveStream } from "./quic_connection.ts";
import { Http3Error } from "./http3_error.ts";
import { readVarint, varintLengthFrom } from "./varint.ts";

/** The shortest header of a WebTransport stream: two bytes of type, one of session id. */
const SHORTEST_HEADER_BYTES = 3;
/** A waiting read keeps its buffer, and every session has four that wait: 64 KiB, the default, is too much. */
const READ_AHEAD_BYTES = 256;

/**
 * What arrives before it is awaited is read without a break, and may be a million frames of two bytes. Beyond the
 * header fields of the largest request nobody is in a hurry: with pauses one peer does not keep others waiting.
 */
const READS_WITHOUT_PAUSE = 64;
const PAUSE_MS = 1;

const NOTHING = new Uint8Array(0);

/**
 * At first reads no byte beyond what it is asked for, or beyond the shortest header of a WebTransport stream:
 * after the header, `release()` leaves the stream to others.
 */
export class ByteReader {
  readonly #reader: ReadableStreamBYOBReader;
  #held: Uint8Array<ArrayBuffer> = NOTHING;
  #ahead = SHORTEST_HEADER_BYTES;
  #reads = 0;

  constructor(stream: QuicReceiveStream) {
    this.#reader = stream.getReader({ mode: "byob" });
  }

  /** The next integer; undefined when the stream ends before its first byte. */
  async readVarint(): Promise<bigint | undefined> {
    if (!await this.#fill(1)) return undefined;
    const length = varintLengthFrom(this.#held[0] as number);
    if (!await this.#fill(length)) throw cutOff();
    const { value, next } = readVarint(this.#held) as { value: bigint; next: number };
    this.#held = this.#held.subarray(next);
    return value;
  }

  /** The next bytes, at least one; undefined at the end. From now on the stream belongs to this reader. */
  async readSome(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const held = this.#held;
    this.#held = NOTHING;
    if (held.length > 0) return held;
    if (++this.#reads > READS_WITHOUT_PAUSE) await delay(PAUSE_MS);
    const { value, done } = await this.#reader.read(new Uint8Array(READ_AHEAD_BYTES));
    return done ? undefined : value;
  }

  /** Leaves the stream to others; `readSome` was not called. */
  release(): void {
    this.#reader.releaseLock();
  }

  /** Tells the peer that nobody reads on, and ends a read that waits. */
  cancel(): void {
    this.#reader.cancel().catch(ignore);
  }

  /** Whether so many bytes are held now; false when the stream ended before. */
  async #fill(count: number): Promise<boolean> {
    while (this.#held.length < count) {
      const missing = Math.max(count - this.#held.length, this.#ahead);
      const { value, done } = await this.#reader.read(new Uint8Array(missing));
      if (done) return false;
      this.#ahead = Math.max(0, this.#ahead - value.length);
      this.#held = this.#held.length === 0 ? value : joinChunks([this.#held, value]);
    }
    return true;
  }
}

function cutOff(): Http3Error {
  return new Http3Error("H3_FRAME_ERROR", "read stream: it ends inside of its header");
}

/** The stream has ended in another way already. */
function ignore(): void {}
