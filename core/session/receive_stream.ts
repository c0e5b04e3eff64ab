/** The reading end of one byte stream of a session. */

import type { ByteSource } from "../byte_stream.ts";
import { WasimoffError } from "../errors.ts";
import { INITIAL_CREDIT_BYTES, MAX_CREDIT_BYTES } from "../protocol/limits.ts";
import { type Frame, FRAME_CREDIT, FRAME_STOP } from "./frame.ts";

/** Chunks below this size are joined while nobody reads. */
const JOIN_BYTES = 4 * 1024;

/** What a receiving stream needs from its session. */
export interface ReceiveStreamOwner {
  send(frame: Frame): void;
  /** Takes `bytes` from the credit that all streams share; false when there is not so much left. */
  reserve(bytes: number): boolean;
  release(bytes: number): void;
  /** Nobody needs these bytes of the peer any more. */
  done(chunk: Uint8Array): void;
  /** Whether the stream now holds what others sent before it must still come for. */
  held(stream: ReceiveStream, holds: boolean): void;
  forget(stream: ReceiveStream): void;
}

/**
 * Bytes from the peer in order. Gives credit as they are read: little at first, up to MAX_CREDIT_BYTES while
 * the session has credit to share.
 */
export class ReceiveStream implements ByteSource {
  readonly #owner: ReceiveStreamOwner;
  readonly #chunks: Uint8Array[] = [];
  /** The last chunk is the front of this, and small ones are joined to it; null when it is not. */
  #tail: Uint8Array | null = null;
  #received = 0;
  /** What has come ahead of missing bytes, by its offset; made when something does. */
  #ahead: Map<number, Uint8Array> | null = null;
  #aheadBytes = 0;
  /** What END has said. */
  #length: number | null = null;
  #read = 0;
  #limit = INITIAL_CREDIT_BYTES;
  #reserved = 0;
  #state: "open" | "ended" | "failed" = "open";
  #failure: WasimoffError | null = null;
  #reader: PromiseWithResolvers<Uint8Array | null> | null = null;

  constructor(readonly id: number, owner: ReceiveStreamOwner) {
    this.#owner = owner;
  }

  /** Bytes received so far. */
  get length(): number {
    return this.#received;
  }

  /** Whether a reader waits for bytes that the peer owes. */
  get starved(): boolean {
    return this.#state === "open" && this.#reader !== null;
  }

  read(): Promise<Uint8Array | null> {
    if (this.#reader !== null) throw new TypeError("read while another read waits");
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      if (this.#chunks.length === 0) this.#tail = null;
      this.#consumed(chunk.length);
      return Promise.resolve(chunk);
    }
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#state === "ended") return Promise.resolve(null);
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  release(chunk: Uint8Array): void {
    this.#owner.done(chunk);
  }

  cancel(reason: WasimoffError): void {
    if (this.#state !== "open") return this.#discard(reason);
    this.#owner.send({ type: FRAME_STOP, stream: this.id, code: reason.code, reason: reason.message });
    this.#finish("failed", reason);
    this.#discard(reason);
  }

  /** The peer has said by other means that it never used this stream; one that did use it has lied. */
  endUnused(): void {
    if (this.#state !== "open") return;
    if (this.#received === 0) return this.#finish("ended", null);
    this.#finish("failed", violation(`bytes on stream ${this.id}, which is said to be unused`));
  }

  /**
   * DATA of the peer; throws when it does not fit what was received or allowed. `inOrder`: no frame is missing
   * that was sent before it, so that bytes are. Otherwise it may be ahead of what is on its way elsewhere.
   */
  data(offset: number, bytes: Uint8Array, inOrder = true): void {
    if (this.#state !== "open") return;
    const end = offset + bytes.length;
    if (offset < this.#received || (inOrder && offset > this.#received)) {
      throw violation(`data at offset ${offset} of stream ${this.id}: ${this.#received} was expected`);
    }
    if (end > Math.min(this.#limit, this.#length ?? Infinity)) {
      throw violation(`data up to ${end} on stream ${this.id}: its end or credit is before`);
    }
    if (offset > this.#received) return this.#hold(offset, bytes);
    this.#accept(bytes);
    if (this.#ahead !== null || this.#length !== null) this.#catchUp();
  }

  /** END of the peer; throws when bytes are missing, see `data`. */
  ended(length: number, inOrder = true): void {
    if (this.#state !== "open") return;
    const early = length > this.#received && length <= this.#limit && !inOrder;
    if ((length !== this.#received && !early) || this.#length !== null) {
      throw violation(`an end at ${length} of stream ${this.id}: ${this.#received} bytes were received`);
    }
    this.#length = length;
    if (early) this.#owner.held(this, true);
    else this.#catchUp();
  }

  /** ABORT of the peer, or the end of the session. What was received before can still be read. */
  fail(cause: WasimoffError): void {
    if (this.#state === "open") this.#finish("failed", cause);
  }

  #accept(bytes: Uint8Array): void {
    this.#received += bytes.length;
    if (this.#reader === null) return this.#keep(bytes);
    const reader = this.#reader;
    this.#reader = null;
    this.#consumed(bytes.length);
    reader.resolve(bytes);
  }

  #hold(offset: number, bytes: Uint8Array): void {
    this.#ahead ??= new Map();
    if (this.#ahead.has(offset)) throw violation(`data at offset ${offset} of stream ${this.id} twice`);
    this.#aheadBytes += bytes.length;
    // Else pieces of one range, each at an offset of its own, would cost far more than the credit.
    if (this.#aheadBytes > this.#limit - this.#received) throw overlap(this.id);
    this.#ahead.set(offset, bytes);
    this.#owner.held(this, true);
  }

  /** Takes what was ahead and no longer is, then the end. */
  #catchUp(): void {
    while (this.#state === "open") {
      const bytes = this.#ahead?.get(this.#received);
      if (bytes === undefined) break;
      this.#ahead!.delete(this.#received);
      this.#aheadBytes -= bytes.length;
      this.#accept(bytes);
    }
    const holds = this.#ahead !== null && this.#ahead.size > 0;
    if (this.#received === this.#length) {
      if (holds) throw overlap(this.id);
      this.#finish("ended", null);
    } else if (!holds && this.#length === null) this.#owner.held(this, false);
  }

  #finish(state: "ended" | "failed", cause: WasimoffError | null): void {
    this.#state = state;
    this.#failure = cause;
    this.#owner.release(this.#reserved);
    this.#reserved = 0;
    this.#ahead = null;
    this.#owner.forget(this);
    if (cause === null) this.#reader?.resolve(null);
    else this.#reader?.reject(cause);
    this.#reader = null;
  }

  /** Bytes that were thrown away must not look like a proper end to a later read. */
  #discard(reason: WasimoffError): void {
    if (this.#chunks.length > 0) this.#failure ??= reason;
    this.#chunks.length = 0;
    this.#tail = null;
  }

  /** Credit counts bytes only, so small chunks are joined: each one kept by itself would cost far more. */
  #keep(bytes: Uint8Array): void {
    if (bytes.length >= JOIN_BYTES) {
      this.#tail = null;
      this.#chunks.push(bytes);
      return;
    }
    this.#join(bytes);
    this.#owner.done(bytes);
  }

  #join(bytes: Uint8Array): void {
    const filled = this.#tail === null ? 0 : this.#chunks.at(-1)!.length;
    if (this.#tail !== null && filled + bytes.length <= JOIN_BYTES) {
      this.#tail.set(bytes, filled);
      this.#chunks[this.#chunks.length - 1] = this.#tail.subarray(0, filled + bytes.length);
      return;
    }
    this.#tail = new Uint8Array(JOIN_BYTES);
    this.#tail.set(bytes);
    this.#chunks.push(this.#tail.subarray(0, bytes.length));
  }

  #consumed(bytes: number): void {
    this.#read += bytes;
    // Short streams fit into the initial credit: they cost no frame from the reader.
    if (this.#state !== "open" || this.#read < INITIAL_CREDIT_BYTES / 2) return;
    if (this.#reserved === 0 && this.#owner.reserve(MAX_CREDIT_BYTES)) this.#reserved = MAX_CREDIT_BYTES;
    const window = this.#reserved === 0 ? INITIAL_CREDIT_BYTES : MAX_CREDIT_BYTES;
    const limit = this.#read + window;
    if (limit - this.#limit < window / 2) return;
    this.#limit = limit;
    this.#owner.send({ type: FRAME_CREDIT, stream: this.id, limit });
  }
}

function overlap(id: number): WasimoffError {
  return violation(`data of stream ${id} that overlaps`);
}

function violation(what: string): WasimoffError {
  return new WasimoffError("invalid_argument", `received ${what}`);
}
