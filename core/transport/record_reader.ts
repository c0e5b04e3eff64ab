/** Reads frames from one stream, with a buffer that is as large as what comes. */

import { WasimoffError } from "../errors.ts";
import { readRecordHeader, RECORD_HEADER_BYTES } from "./record.ts";

/** What an idle stream costs. */
const MIN_BUFFER_BYTES = 2 * 1024;
/** Many small frames in one read. A larger frame is read into a buffer of its own size. */
const MAX_BUFFER_BYTES = 16 * 1024;
/** Shorter frames are copied, so that one that is kept does not keep a buffer. */
const SHARE_FROM_BYTES = 4 * 1024;

type OnRecord = (frame: Uint8Array, number: number) => void;

/** Long frames are given as parts of a buffer that is then left to them, unless most of it is empty. */
export class RecordReader {
  readonly #byob: ReadableStreamBYOBReader | null;
  readonly #chunks: ReadableStreamDefaultReader<Uint8Array> | null;
  #buffer = new Uint8Array(MIN_BUFFER_BYTES);
  #filled = 0;
  /** Of the next buffer. */
  #size = MIN_BUFFER_BYTES;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#byob = byobReader(stream);
    this.#chunks = this.#byob === null ? stream.getReader() : null;
  }

  /**
   * Gives every frame, until the stream ends between two of them. Rejects when it breaks, ends within a frame
   * (`unavailable`), or holds what is none (`out_of_range`, `invalid_argument`); then nobody reads it on.
   */
  async run(onRecord: OnRecord): Promise<void> {
    try {
      while (await this.#fill()) this.#parse(onRecord);
    } catch (error) {
      const cause = WasimoffError.from(error, "unavailable");
      this.cancel(cause);
      throw cause;
    }
    if (this.#filled > 0) throw new WasimoffError("unavailable", "stream ended within a frame");
  }

  /** Makes `run` end soon. */
  cancel(cause: WasimoffError): void {
    (this.#byob ?? this.#chunks)!.cancel(cause).catch(() => {}); // a stream that broke is not read on either
  }

  /** Adds what comes to the buffer; false at the end. */
  async #fill(): Promise<boolean> {
    if (this.#byob === null) {
      const { done, value } = await this.#chunks!.read();
      if (!done) this.#append(value);
      return !done;
    }
    const room = this.#buffer.length - this.#filled;
    const { done, value } = await this.#byob.read(this.#buffer.subarray(this.#filled));
    if (done || value === undefined) return false;
    this.#buffer = new Uint8Array(value.buffer); // the old one went to the stream and is gone
    this.#filled += value.length;
    if (value.length === room) this.#size = Math.min(MAX_BUFFER_BYTES, this.#size * 4);
    else if (value.length < this.#size / 8) this.#size = Math.max(MIN_BUFFER_BYTES, this.#size / 4);
    return true;
  }

  #append(chunk: Uint8Array): void {
    const bytes = this.#filled + chunk.length;
    if (bytes > this.#buffer.length) this.#renewBuffer(0, bytes);
    this.#buffer.set(chunk, this.#filled);
    this.#filled = bytes;
  }

  #parse(onRecord: OnRecord): void {
    const [buffer, filled] = [this.#buffer, this.#filled];
    let start = 0;
    let needed = 0;
    let shared = false;
    while (filled - start >= RECORD_HEADER_BYTES) {
      const { length, number } = readRecordHeader(buffer, start);
      needed = RECORD_HEADER_BYTES + length;
      if (filled - start < needed) break;
      const share = length >= SHARE_FROM_BYTES && filled * 2 >= buffer.length;
      const [from, to] = [start + RECORD_HEADER_BYTES, start + needed];
      onRecord(share ? buffer.subarray(from, to) : buffer.slice(from, to), number);
      shared ||= share;
      start = to;
      needed = 0;
    }
    // With room for the next header, so that frames of one size are read without being moved.
    const size = Math.max(this.#size, needed + RECORD_HEADER_BYTES);
    if (shared || size !== buffer.length) this.#renewBuffer(start, size);
    else if (start > 0) buffer.copyWithin(0, start, filled);
    this.#filled = filled - start;
  }

  /** Goes on with a buffer of this size and what is in the old one from `start` on. */
  #renewBuffer(start: number, size: number): void {
    const rest = this.#buffer.subarray(start, this.#filled);
    this.#buffer = new Uint8Array(Math.max(size, rest.length));
    this.#buffer.set(rest);
  }
}

/** null for a stream that only gives chunks of its own. */
function byobReader(stream: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | null {
  try {
    return stream.getReader({ mode: "byob" });
  } catch {
    return null;
  }
}
