/** A stream of bytes as node's HTTP takes it for a socket. */

import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import type { ByteDuplex } from "../byte_stream.ts";
import { WasimoffError } from "../errors.ts";

/** What is written at once goes as one piece up to here: a head and a short body are one frame. */
const MAX_JOINED_BYTES = 64 * 1024;
/** Bytes that wait on either side before the other is slowed down. */
const BUFFER_BYTES = 64 * 1024;

export class DuplexSocket extends Duplex {
  readonly #stream: ByteDuplex;
  #reading = false;
  #parked = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timeoutMs = 0;
  #lastUse = 0;

  constructor(stream: ByteDuplex) {
    super({ readableHighWaterMark: BUFFER_BYTES, writableHighWaterMark: BUFFER_BYTES });
    this.#stream = stream;
  }

  /** As node's sockets have it. */
  get timeout(): number {
    return this.#timeoutMs;
  }

  /** While it is parked nothing may come: whoever sends, or ends, is hung up on. */
  park(): void {
    this.#parked = true;
    if (this.readableLength > 0 || this.readableEnded) this.destroy();
    else this.read(0); // an end is noticed by reading
  }

  /** Ends the parking. */
  unpark(): void {
    this.#parked = false;
  }

  override _read(): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#stream.readable.read().then((chunk) => {
      this.#reading = false;
      if (this.destroyed) return;
      if (this.#parked) return void this.destroy();
      this.#lastUse = performance.now();
      this.push(chunk);
    }, (error) => void this.destroy(error));
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    if (chunk.length === 0) return done();
    this.#lastUse = performance.now();
    try {
      const room = this.#stream.writable.write(chunk);
      if (room === undefined) done();
      else room.then(() => done(), done);
    } catch (error) {
      done(WasimoffError.from(error));
    }
  }

  override _writev(items: { chunk: Uint8Array }[], done: (error?: Error | null) => void): void {
    const chunks = items.map(({ chunk }) => chunk);
    const total = chunks.reduce((sum, { length }) => sum + length, 0);
    if (total <= MAX_JOINED_BYTES) return this._write(Buffer.concat(chunks), "", done);
    const next = (i: number, error?: Error | null): void => {
      if (error || i === chunks.length) return done(error);
      this._write(chunks[i]!, "", (failed) => next(i + 1, failed));
    };
    next(0);
  }

  override _final(done: () => void): void {
    this.#stream.writable.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    const reason = error === null
      ? new WasimoffError("canceled", "connection was closed")
      : WasimoffError.from(error);
    this.#stream.readable.cancel(reason);
    this.#stream.writable.abort(reason);
    done(error);
  }

  /** Ends once everything is written, as node's sockets do. */
  destroySoon(): void {
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy()).end();
  }

  /** Emits `timeout` after so many milliseconds without a byte; 0 for never. */
  setTimeout(timeoutMs: number): this {
    this.#timeoutMs = timeoutMs;
    this.#lastUse = performance.now();
    clearTimeout(this.#timer);
    if (timeoutMs > 0) this.#watch(timeoutMs);
    return this;
  }

  /** Nothing waits in a stream for more. */
  setNoDelay(): this {
    return this;
  }

  /** The session under it has a heartbeat of its own. */
  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  #watch(delayMs: number): void {
    this.#timer = setTimeout(() => {
      const leftMs = this.#lastUse + this.#timeoutMs - performance.now();
      if (leftMs > 0) return this.#watch(leftMs);
      this.emit("timeout");
    }, delayMs);
  }
}
