/** Writes frames to one stream, as many at once as wait. */

import { WasimoffError } from "../errors.ts";
import { SOCKET_LOW_WATER_BYTES } from "../protocol/limits.ts";
import { RECORD_HEADER_BYTES, writeRecord } from "./record.ts";

/** Bytes of records in one write: enough that calls cost little, few enough to be copied without a pause. */
const MAX_WRITE_BYTES = 256 * 1024;

/** A buffer is used again for a write that fills more than this part of it: what is idle soon keeps none. */
const LEAST_USED_PART = 1 / 8;

/** A frame and its number. */
export type NumberedFrame = readonly [frame: Uint8Array, number: number];

export interface RecordWriterOwner {
  /** `buffered` has fallen below SOCKET_LOW_WATER_BYTES after it was above. */
  drained(): void;
  /** The stream broke; not after `end` has resolved. */
  failed(cause: WasimoffError): void;
}

/** Holds frames until there is a stream. One write is under way at a time; what comes meanwhile goes together. */
export class RecordWriter {
  readonly #owner: RecordWriterOwner;
  #writer: WritableStreamDefaultWriter<Uint8Array> | null = null;
  #queue: NumberedFrame[] = [];
  #buffered = 0;
  /** Of the last write, which is free again when that is over: transports copy. */
  #scratch = new Uint8Array(0);
  #full = false;
  #writing = false;
  /** Resolves when everything was taken by the transport and the stream has ended. */
  #ended: PromiseWithResolvers<void> | null = null;
  #over = false;

  constructor(owner: RecordWriterOwner) {
    this.#owner = owner;
  }

  /** Bytes of records that the transport has not taken yet. */
  get buffered(): number {
    return this.#buffered;
  }

  /** Begins to write. */
  open(stream: WritableStream<Uint8Array>): void {
    const writer = stream.getWriter();
    this.#writer = writer;
    writer.closed.catch(() => {}); // said by the write that fails
    if (this.#over) writer.abort().catch(() => {});
    else this.#flush();
  }

  send(frame: Uint8Array, number: number): void {
    if (this.#over || this.#ended !== null) return;
    this.#queue.push([frame, number]);
    this.#buffered += RECORD_HEADER_BYTES + frame.length;
    this.#full ||= this.#buffered >= SOCKET_LOW_WATER_BYTES;
    this.#flush();
  }

  /** Ends the stream behind what was sent. Resolves when it has ended or broken. */
  end(): Promise<void> {
    if (this.#over) return Promise.resolve();
    this.#ended ??= Promise.withResolvers();
    this.#flush();
    return this.#ended.promise;
  }

  /** Takes back what has not been written, and writes no more. */
  abandon(): NumberedFrame[] {
    this.#finish();
    this.#writer?.abort().catch(() => {});
    return this.#queue.splice(0);
  }

  #flush(): void {
    if (this.#writing || this.#writer === null || this.#over) return;
    if (this.#queue.length > 0) void this.#write(this.#writer, this.#batch());
    else if (this.#ended !== null) void this.#close(this.#writer);
  }

  async #write(writer: WritableStreamDefaultWriter<Uint8Array>, batch: Uint8Array): Promise<void> {
    this.#writing = true;
    try {
      await writer.write(batch);
    } catch (error) {
      return this.#fail(error);
    }
    this.#writing = false;
    this.#buffered -= batch.length;
    this.#flush();
    if (!this.#full || this.#over || this.#buffered >= SOCKET_LOW_WATER_BYTES) return;
    this.#full = false;
    this.#owner.drained();
  }

  async #close(writer: WritableStreamDefaultWriter<Uint8Array>): Promise<void> {
    this.#writing = true;
    try {
      await writer.close();
      this.#finish();
    } catch (error) {
      this.#fail(error);
    }
  }

  #batch(): Uint8Array {
    let bytes = 0;
    let count = 0;
    for (const [frame] of this.#queue) {
      const record = RECORD_HEADER_BYTES + frame.length;
      if (count > 0 && bytes + record > MAX_WRITE_BYTES) break;
      bytes += record;
      count++;
    }
    const { length } = this.#scratch;
    if (bytes > length || bytes < length * LEAST_USED_PART) this.#scratch = new Uint8Array(bytes);
    const batch = this.#scratch.subarray(0, bytes);
    let offset = 0;
    for (const [frame, number] of this.#queue.splice(0, count)) {
      offset = writeRecord(batch, offset, frame, number);
    }
    return batch;
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#finish();
    this.#owner.failed(WasimoffError.from(error, "unavailable"));
  }

  #finish(): void {
    this.#over = true;
    this.#ended?.resolve();
  }
}
