/** The WebSockets of wasimoff_v1 that are open, so that a broker that leaves can say so. */

import { closeCode } from "../errors.ts";
import type { WebSocketMessages } from "./websocket_messages.ts";

export class OpenPipes {
  readonly #pipes = new Set<WebSocketMessages>();

  get size(): number {
    return this.#pipes.size;
  }

  add(pipe: WebSocketMessages): void {
    this.#pipes.add(pipe);
    void pipe.closed.then(() => this.#pipes.delete(pipe));
  }

  close(reason: string): void {
    for (const pipe of this.#pipes) pipe.close(closeCode("unavailable"), reason);
  }
}
