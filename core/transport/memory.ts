/** Two connections joined in memory: the transport of tests, and of a broker and provider in one process. */

import { type Code, WasimoffError } from "../errors.ts";
import { joinChunks } from "../join_chunks.ts";
import { MAX_FRAME_BYTES, SOCKET_HIGH_WATER_BYTES, SOCKET_LOW_WATER_BYTES } from "../protocol/limits.ts";
import type { Connection, ConnectionHandler } from "../session/connection.ts";

export interface MemoryPipe {
  readonly a: Connection;
  readonly b: Connection;
  /** Breaks the connection without a word: frames under way are lost, both ends see `unavailable`. */
  cut(): void;
  /** Holds frames and closes back as a stalled network does, until called with false. */
  stall(stalled: boolean): void;
}

/** A fresh pair of connections; what one sends the other receives, in order, in a later microtask. */
export function memoryPipe(): MemoryPipe {
  const a = new MemoryConnection();
  const b = new MemoryConnection();
  a.peer = b;
  b.peer = a;
  return {
    a,
    b,
    cut: () => {
      const cause = new WasimoffError("unavailable", "connection was cut");
      a.finish(cause);
      b.finish(cause);
    },
    stall: (stalled) => {
      a.stalled = b.stalled = stalled;
      a.flush();
      b.flush();
    },
  };
}

class MemoryConnection implements Connection {
  peer!: MemoryConnection;
  stalled = false;
  #handler: ConnectionHandler | null = null;
  #outgoing: Uint8Array[] = [];
  /** Our close, on its way behind the frames. */
  #closing: WasimoffError | null = null;
  #buffered = 0;
  #wasFull = false;
  #flushing = false;
  #ended: WasimoffError | null = null;

  get buffered(): number {
    return this.#buffered;
  }

  send(frame: Uint8Array, _number?: number, body?: Uint8Array): void {
    // A copy: the sender keeps its own for the replay, the receiver may do as it likes.
    const bytes = body === undefined ? frame.slice() : joinChunks([frame, body]);
    if (bytes.length > MAX_FRAME_BYTES) throw new RangeError(`frame of ${bytes.length} bytes is too large`);
    if (this.#ended !== null) return;
    this.#outgoing.push(bytes);
    this.#buffered += bytes.length;
    if (this.#buffered >= SOCKET_HIGH_WATER_BYTES) this.#wasFull = true;
    this.flush();
  }

  start(handler: ConnectionHandler): void {
    this.#handler = handler;
    if (this.#ended !== null) this.#tellEnd(this.#ended);
    this.peer.flush();
  }

  close(code: Code, reason: string): void {
    if (this.#ended !== null) return;
    this.#closing = this.#ended = new WasimoffError(code, reason || "connection was closed");
    this.#tellEnd(this.#ended);
    this.flush();
  }

  /** Delivers in a microtask, so that a sender never runs inside its peer's handler. */
  flush(): void {
    if (this.#flushing || this.stalled || this.peer.#handler === null) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#deliver();
    });
  }

  /** Ends this side at once; what it sent and has not been delivered is lost. */
  finish(cause: WasimoffError): void {
    this.#outgoing = [];
    this.#closing = null;
    this.#buffered = 0;
    if (this.#ended !== null) return;
    this.#ended = cause;
    this.#tellEnd(cause);
  }

  #tellEnd(cause: WasimoffError): void {
    const handler = this.#handler;
    if (handler !== null) queueMicrotask(() => handler.onClose(cause));
  }

  #deliver(): void {
    const frames = this.#outgoing;
    let delivered = 0;
    for (const frame of frames) { // also those that are sent meanwhile
      if (this.stalled || this.#outgoing !== frames) break;
      delivered++;
      this.#buffered -= frame.length;
      if (this.peer.#ended === null) this.peer.#handler!.onFrame(frame);
    }
    frames.splice(0, delivered);
    if (this.stalled) return;
    if (this.#closing !== null) this.peer.finish(this.#closing);
    if (this.#ended !== null || !this.#wasFull || this.#buffered >= SOCKET_LOW_WATER_BYTES) return;
    this.#wasFull = false;
    this.#handler?.onDrain();
  }
}
