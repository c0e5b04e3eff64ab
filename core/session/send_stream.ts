/** The writing end of one byte stream of a session. */

import type { ByteSink } from "../byte_stream.ts";
import { WasimoffError } from "../errors.ts";
import { INITIAL_CREDIT_BYTES, MAX_PAYLOAD_BYTES, STREAM_BUFFER_BYTES } from "../protocol/limits.ts";
import { type Frame, FRAME_ABORT, FRAME_DATA, FRAME_END } from "./frame.ts";

/** What a sending stream needs from its session. */
export interface SendStreamOwner {
  /** Sends a frame at once, ahead of what is scheduled. */
  send(frame: Frame): void;
  /** Asks that `nextFrame` is called as soon as the socket has room. May be called when already scheduled. */
  schedule(stream: SendStream): void;
  /** The stream has said its last word; its id will not be used by it again. */
  forget(stream: SendStream): void;
}

/** Written bytes that are not sent yet. */
interface Chunk {
  readonly bytes: Uint8Array;
  readonly done: (() => void) | undefined;
}

/** Chunks from this size on are frames by themselves, rather than copied together with what follows. */
const MIN_ALONE_BYTES = MAX_PAYLOAD_BYTES / 2;

/**
 * Cuts what is written into DATA frames, within the credit of the peer. Ends with END(length) or ABORT, never
 * by silence.
 */
export class SendStream implements ByteSink {
  readonly #owner: SendStreamOwner;
  #pending: Chunk[] = [];
  #pendingBytes = 0;
  #sent = 0;
  #credit = INITIAL_CREDIT_BYTES;
  #state: "open" | "ending" | "closed" = "open";
  #failure: WasimoffError | null = null;
  #room: PromiseWithResolvers<void> | null = null;
  #written = 0;

  constructor(readonly id: number, owner: SendStreamOwner) {
    this.#owner = owner;
  }

  /** Bytes given to `write` so far: what END will say. */
  get length(): number {
    return this.#written;
  }

  /** Whether `nextFrame` would give a frame. */
  get ready(): boolean {
    if (this.#state === "closed") return false;
    if (this.#pendingBytes > 0) return this.#sent < this.#credit;
    return this.#state === "ending";
  }

  /** Whether the next frame may travel on a lane (see `laneOf`). */
  get large(): boolean {
    return this.#sent >= INITIAL_CREDIT_BYTES && this.#written > INITIAL_CREDIT_BYTES;
  }

  write(chunk: Uint8Array, done?: () => void): Promise<void> | void {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#state !== "open") throw new TypeError("write after end");
    if (chunk.length === 0) return;
    this.#pending.push({ bytes: chunk, done });
    this.#pendingBytes += chunk.length;
    this.#written += chunk.length;
    this.#owner.schedule(this);
    if (this.#pendingBytes <= STREAM_BUFFER_BYTES) return;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    if (this.#failure !== null) return this.#close();
    this.#owner.schedule(this);
  }

  /** Drops what is unsent. ABORT does not wait for its turn, so a message that is sent next comes after it. */
  abort(reason: WasimoffError): void {
    if (this.#state !== "open") return;
    if (this.#failure === null) {
      this.#owner.send({ type: FRAME_ABORT, stream: this.id, code: reason.code, reason: reason.message });
    }
    this.#fail(reason);
    this.#close();
  }

  /** The stream was never used and its receiver will be told so in another way than by END. */
  dropUnused(): void {
    if (this.#written > 0) throw new TypeError("stream was used");
    this.#close();
  }

  /** The peer allows bytes up to this absolute offset. */
  allow(limit: number): void {
    if (limit <= this.#credit) return;
    this.#credit = limit;
    if (this.ready) this.#owner.schedule(this);
  }

  /** The peer wants no more; an end or abort of ours still closes the stream. */
  stopped(reason: WasimoffError): void {
    this.#fail(reason);
    if (this.#state === "ending") this.#close();
  }

  /** The session has ended. */
  fail(cause: WasimoffError): void {
    this.#state = "closed";
    this.#fail(cause);
  }

  /** The next frame to send; only when `ready`. */
  nextFrame(): Frame {
    const stream = this.id;
    if (this.#pendingBytes === 0) {
      this.#close();
      return { type: FRAME_END, stream, length: this.#sent };
    }
    const { bytes: body, done } = this.#take(Math.min(MAX_PAYLOAD_BYTES, this.#credit - this.#sent));
    const offset = this.#sent;
    this.#sent += body.length;
    if (this.#pendingBytes <= STREAM_BUFFER_BYTES) {
      this.#room?.resolve();
      this.#room = null;
    }
    return { type: FRAME_DATA, stream, offset, body, ...(done && { done }) };
  }

  /** Takes at most `max` bytes from the front; small chunks are joined, so that each byte written alone is no frame. */
  #take(max: number): Chunk {
    const { bytes: first, done } = this.#pending[0]!;
    if (first.length >= Math.min(max, MIN_ALONE_BYTES) || this.#pending.length === 1) {
      const whole = first.length <= max;
      if (whole) this.#pending.shift();
      else this.#pending[0] = { bytes: first.subarray(max), done };
      const bytes = whole ? first : first.subarray(0, max);
      this.#pendingBytes -= bytes.length;
      return { bytes, done: whole ? done : undefined };
    }
    const joined = new Uint8Array(Math.min(max, this.#pendingBytes));
    let filled = 0;
    let used = 0;
    while (filled < joined.length) {
      const { bytes: chunk, done } = this.#pending[used]!;
      const part = chunk.subarray(0, joined.length - filled);
      joined.set(part, filled);
      filled += part.length;
      if (part.length === chunk.length) used++;
      else this.#pending[used] = { bytes: chunk.subarray(part.length), done };
    }
    this.#pending.splice(0, used);
    this.#pendingBytes -= joined.length;
    return { bytes: joined, done: undefined };
  }

  #fail(cause: WasimoffError): void {
    this.#failure ??= cause;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#room?.promise.catch(() => {}); // a writer that no longer waits must not stop the process
    this.#room?.reject(cause);
    this.#room = null;
  }

  #close(): void {
    this.#state = "closed";
    this.#owner.forget(this);
  }
}
