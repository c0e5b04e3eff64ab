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

  /** DATA of the peer; throws when it does not fit what was received or allowed. */
  data(offset: number, bytes: Uint8Array): void {
    if (this.#state !== "open") return;
    if (offset !== this.#received) {
      throw violation(`data at offset ${offset} of stream ${this.id}: ${this.#received} was expected`);
    }
    if (offset + bytes.length > this.#limit) {
      throw violation(
        `data up to ${offset + bytes.length} on stream ${this.id}: credit ends at ${this.#limit}`,
      );
    }
    this.#received += bytes.length;
    if (this.#reader === null) return this.#keep(bytes);
    const reader = this.#reader;
    this.#reader = null;
    this.#consumed(bytes.length);
    reader.resolve(bytes);
  }

  /** END of the peer; throws when bytes are missing. */
  ended(length: number): void {
    if (this.#state !== "open") return;
    if (length !== this.#received) {
      throw violation(`an end at ${length} of stream ${this.id}: ${this.#received} bytes were received`);
    }
    this.#finish("ended", null);
  }

  /** ABORT of the peer, or the end of the session. What was received before can still be read. */
  fail(cause: WasimoffError): void {
    if (this.#state === "open") this.#finish("failed", cause);
  }

  #finish(state: "ended" | "failed", cause: WasimoffError | null): void {
    this.#state = state;
    this.#failure = cause;
    this.#owner.release(this.#reserved);
    this.#reserved = 0;
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

function violation(what: string): WasimoffError {
  return new WasimoffError("invalid_argument", `received ${what}`);
}
