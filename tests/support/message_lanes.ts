/** Two lanes of messages joined in memory: what a messenger stands on, without a session. */

import type { MessageLane } from "../../core/protocol/messenger.ts";
import { MAX_PAYLOAD_BYTES } from "../../core/protocol/limits.ts";
import { WasimoffError } from "../../core/errors.ts";

export class MemoryLane implements MessageLane {
  peer!: MemoryLane;
  congested = false;
  /** What was sent, as bytes. */
  readonly sent: Uint8Array[] = [];
  readonly #ended = new AbortController();
  #onMessage: (message: Uint8Array) => void = () => {};
  #room = Promise.withResolvers<void>();

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  send(message: Uint8Array): void {
    this.signal.throwIfAborted();
    if (message.length > MAX_PAYLOAD_BYTES) throw new WasimoffError("out_of_range", "message is too large");
    this.sent.push(message);
    queueMicrotask(() => this.peer.deliver(message));
  }

  /** A message of the peer; what goes wrong with it ends this side, as a session does. */
  deliver(message: Uint8Array): void {
    if (this.signal.aborted) return;
    try {
      this.#onMessage(message);
    } catch (error) {
      this.end(WasimoffError.from(error));
    }
  }

  receiveMessages(onMessage: (message: Uint8Array) => void): void {
    this.#onMessage = onMessage;
  }

  writable(): Promise<void> {
    return this.#room.promise;
  }

  setCongested(congested: boolean): void {
    this.congested = congested;
    if (congested) this.#room = Promise.withResolvers();
    else this.#room.resolve();
  }

  end(cause: WasimoffError): void {
    this.#ended.abort(cause);
  }
}

export function memoryLanes(): readonly [MemoryLane, MemoryLane] {
  const [a, b] = [new MemoryLane(), new MemoryLane()];
  a.peer = b;
  b.peer = a;
  return [a, b];
}
