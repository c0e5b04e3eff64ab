/** Listens to a connection and lets tests wait for what comes. */

import type { WasimoffError } from "../../core/errors.ts";
import type { ConnectionHandler } from "../../core/session/connection.ts";

export class ConnectionRecorder implements ConnectionHandler {
  readonly frames: Uint8Array[] = [];
  drains = 0;
  readonly closed: Promise<WasimoffError>;
  readonly #resolveClosed: (cause: WasimoffError) => void;
  #waiting: { count: number; resolve: () => void } | null = null;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<WasimoffError>();
    this.closed = promise;
    this.#resolveClosed = resolve;
  }

  onFrame(frame: Uint8Array): void {
    this.frames.push(frame);
    if (this.#waiting !== null && this.frames.length >= this.#waiting.count) this.#waiting.resolve();
  }

  onDrain(): void {
    this.drains++;
  }

  onClose(cause: WasimoffError): void {
    this.#resolveClosed(cause);
  }

  /** Resolves when `count` frames have come in all. */
  received(count: number): Promise<void> {
    if (this.frames.length >= count) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting = { count, resolve };
    return promise;
  }
}
