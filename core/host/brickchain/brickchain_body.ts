/** The body of a request for a Brickchain client, which the protocol wants whole. */

import type { IncomingMessage } from "node:http";
import type { MemoryBudget } from "../../broker/memory_budget.ts";
import { WasimoffError } from "../../errors.ts";
import { joinChunks } from "../../join_chunks.ts";
import { MAX_BODY_BYTES } from "../../tunnel/brickchain/brickchain_document.ts";

/** From the headers to the end of a body. */
const TIMEOUT_MS = 30_000;

/** A body that is too large or too slow, which is not the client's fault. */
export class BodyFailure extends Error {
  constructor(readonly status: 408 | 413, message: string) {
    super(message);
  }

  static tooLarge(): BodyFailure {
    return new BodyFailure(413, `request body is too large: ${MAX_BODY_BYTES} bytes are allowed`);
  }
}

/** Counts in the budget until it is disposed of. */
export class HeldBody implements Disposable {
  readonly #budget: MemoryBudget;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #over = false;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  /** Rejects with a BodyFailure, with `resource_exhausted`, or with `canceled` when the visitor leaves. */
  async read(incoming: IncomingMessage): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new BodyFailure(408, "request body is too slow")), TIMEOUT_MS);
    incoming.on("data", (chunk: Uint8Array) => {
      try {
        if (!this.#over) this.#take(chunk);
      } catch (error) {
        reject(error);
      }
    });
    incoming.once("end", resolve);
    incoming.once("close", () => reject(new WasimoffError("canceled", "request broke off")));
    await promise.finally(() => {
      clearTimeout(timer);
      this.#over = true;
    });
    return joinChunks(this.#chunks);
  }

  [Symbol.dispose](): void {
    this.#over = true;
    this.#chunks = [];
    this.#budget.give(this.#bytes);
    this.#bytes = 0;
  }

  #take(chunk: Uint8Array): void {
    if (this.#bytes + chunk.length > MAX_BODY_BYTES) throw BodyFailure.tooLarge();
    this.#budget.take(chunk.length);
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
  }
}
