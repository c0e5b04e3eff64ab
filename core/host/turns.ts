/** Requests that a peer sends ahead, before the answers to earlier ones on its connection. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Requests that may wait on one connection; browsers send none ahead. */
const MAX_SENT_AHEAD = 16;

export class Turns {
  readonly #waiting = new WeakMap<Socket, number>();

  /**
   * Calls `begin` when a request's answer can be written, mostly at once. Never when the connection ends before: node
   * tells nobody of the end of an answer that has not had its turn. Who sends too many ahead is cut off.
   */
  take({ socket }: IncomingMessage, outgoing: ServerResponse, begin: () => void): void {
    if (outgoing.socket !== null) return begin();
    const waiting = this.#waiting.get(socket) ?? 0;
    if (waiting >= MAX_SENT_AHEAD) return void socket.destroy();
    this.#waiting.set(socket, waiting + 1);
    outgoing.once("socket", () => {
      this.#waiting.set(socket, this.#waiting.get(socket)! - 1);
      begin();
    });
  }
}
