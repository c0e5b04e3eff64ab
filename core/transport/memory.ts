/** Two connections joined in memory: the transport of tests, and of a broker and provider in one process. */

import { type Code, WasimoffError } from "../errors.ts";
import { MAX_FRAME_BYTES, SOCKET_HIGH_WATER_BYTES, SOCKET_LOW_WATER_BYTES } from "../protocol/limits.ts";
import type { Connection, ConnectionHandler } from "../session/connection.ts";

export interface MemoryPipe {
  readonly a: Connection;
  readonly b: Connection;
  /** Breaks the connection without a word: frames under way are lost, both ends see `unavailable`. */
  cut(): void;
  /** Holds frames back as a stalled network does, until called with false. */
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
      a.finish(cause, false);
      b.finish(cause, false);
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
  #buffered = 0;
  #wasFull = false;
  #flushing = false;
  #ended: WasimoffError | null = null;

  get buffered(): number {
    return this.#buffered;
  }

  send(frame: Uint8Array): void {
    if (frame.length > MAX_FRAME_BYTES) throw new RangeError(`frame of ${frame.length} bytes is too large`);
    if (this.#ended !== null) return;
    this.#outgoing.push(frame);
    this.#buffered += frame.length;
    if (this.#buffered >= SOCKET_HIGH_WATER_BYTES) this.#wasFull = true;
    this.flush();
  }

  start(handler: ConnectionHandler): void {
    this.#handler = handler;
    if (this.#ended !== null) queueMicrotask(() => handler.onClose(this.#ended!));
    this.peer.flush();
  }

  close(code: Code, reason: string): void {
    const cause = new WasimoffError(code, reason || "connection was closed");
    this.peer.finish(cause, true);
    this.finish(cause, true);
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

  /** Ends this side; what was sent to it before an orderly close still arrives. */
  finish(cause: WasimoffError, orderly: boolean): void {
    if (this.#ended !== null) return;
    if (orderly && !this.peer.stalled) this.peer.#deliver();
    this.#ended = cause;
    this.#outgoing = [];
    this.#buffered = 0;
    const handler = this.#handler;
    if (handler !== null) queueMicrotask(() => handler.onClose(cause));
  }

  #deliver(): void {
    const frames = this.#outgoing;
    this.#outgoing = [];
    for (const frame of frames) {
      this.#buffered -= frame.length;
      if (this.peer.#ended === null) this.peer.#handler?.onFrame(frame);
    }
    if (this.#wasFull && this.#buffered < SOCKET_LOW_WATER_BYTES) {
      this.#wasFull = false;
      this.#handler?.onDrain();
    }
  }
}
