/** The body of a request, which may stall, break off or never end. */

import { WasimoffError } from "../../errors.ts";
import type { MemoryBudget } from "../memory_budget.ts";

/** A body that brings nothing for so long is given up. */
const BODY_IDLE_TIMEOUT_MS = 60_000;

export interface BodyLimits {
  /** More bytes than this are `out_of_range`; any number when absent. */
  readonly maxBytes?: number;
  /** What is read counts against it until the body is disposed of; for bodies that are kept in memory. */
  readonly budget?: MemoryBudget;
}

/** To be read once. One that breaks off or stalls is an error, never an end. */
export class RequestBody implements AsyncIterable<Uint8Array>, Disposable {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #maxBytes: number;
  readonly #budget: MemoryBudget | undefined;
  #bytes = 0;

  /** Throws `out_of_range` for a body that announces too much. */
  constructor(request: Pick<Request, "headers" | "body">, { maxBytes = Infinity, budget }: BodyLimits = {}) {
    this.#maxBytes = maxBytes;
    if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw this.#tooLarge();
    this.#reader = request.body?.getReader();
    this.#budget = budget;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    if (this.#reader === undefined) return;
    for (;;) {
      const next = await readInTime(this.#reader);
      if (next.done) return;
      if (this.#bytes + next.value.length > this.#maxBytes) throw this.#tooLarge();
      this.#budget?.take(next.value.length);
      this.#bytes += next.value.length;
      yield next.value;
    }
  }

  /** The rest of it as one piece. */
  async bytes(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of this) {
      chunks.push(chunk);
      length += chunk.length;
    }
    const whole = new Uint8Array(length);
    let at = 0;
    for (const chunk of chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    return whole;
  }

  /** Nobody reads on, and what was read is not needed any more. */
  [Symbol.dispose](): void {
    this.#budget?.give(this.#bytes);
    // Not awaited: a body that hangs would not let go. The server drains or cuts what is left of it.
    this.#reader?.cancel().catch(() => {});
  }

  #tooLarge(): WasimoffError {
    return new WasimoffError("out_of_range", `body is too large: ${this.#maxBytes} bytes are allowed`);
  }
}

async function readInTime(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  const stalled = Promise.withResolvers<never>();
  const cause = new WasimoffError("deadline_exceeded", "upload has stalled: send it again");
  const timer = setTimeout(() => stalled.reject(cause), BODY_IDLE_TIMEOUT_MS);
  try {
    return await Promise.race([reader.read(), stalled.promise]);
  } catch (cause) {
    if (cause instanceof WasimoffError) throw cause;
    throw new WasimoffError("canceled", "upload broke off: send it again", { cause });
  } finally {
    clearTimeout(timer);
  }
}
