/** The Worker of a slot, seen from the page. */

import type { SlotProcess } from "../core/provider/slot_process.ts";
import { MessagePipe } from "./message_pipe.ts";

export class WorkerProcess implements SlotProcess {
  readonly exited: Promise<string>;
  readonly lastWords: Promise<string>;
  readonly #worker: Worker;
  readonly #pipe: MessagePipe;
  readonly #exit = Promise.withResolvers<string>();
  readonly #said = Promise.withResolvers<string>();

  /** Takes over a Worker that runs slot_worker.ts. */
  constructor(worker: Worker) {
    this.#worker = worker;
    this.exited = this.#exit.promise;
    this.lastWords = this.#said.promise;
    this.#pipe = new MessagePipe((message, transfer) => worker.postMessage(message, transfer));
    worker.addEventListener("message", ({ data }) => {
      if (!this.#pipe.receive(data)) this.#end("a message that is no part of the protocol");
    });
    worker.addEventListener("messageerror", () => this.#end("a message that cannot be read"));
    worker.addEventListener("error", (event) => {
      event.preventDefault(); // told to who waits for the slot
      this.#said.resolve(event.message ?? "");
      this.#end(event.message ? "uncaught error" : "its script cannot be loaded");
    });
  }

  read(): Promise<Uint8Array | null> {
    return this.#pipe.read();
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#pipe.write(bytes as Uint8Array<ArrayBuffer>);
  }

  kill(): Promise<void> {
    this.#end("terminated");
    return Promise.resolve();
  }

  #end(how: string): void {
    this.#worker.terminate();
    this.#pipe.close();
    this.#exit.resolve(how);
    this.#said.resolve("");
  }
}
