/** The body of a request, which may stall, break off or never end. */

import { WasimoffError } from "../../errors.ts";
import { joinChunks } from "../../join_chunks.ts";
import type { MemoryBudget } from "../memory_budget.ts";

/** A body that brings nothing for so long is given up. */
const BODY_IDLE_TIMEOUT_MS = 60_000;
/** A body that is kept in memory must be whole by then, or bytes that trickle in would hold the share of others. */
export const MAX_HELD_MS = 5 * 60_000;

export interface BodyLimits {
  /** More bytes than this are `out_of_range`; any number when absent. */
  readonly maxBytes?: number;
  /** What is read counts against it until the body is disposed of; for bodies that are kept in memory. */
  readonly budget?: MemoryBudget;
}

/** What a body is read from; `arrayBuffer` is the quick way for a small one. */
export type BodySource = Pick<Request, "headers" | "body" | "arrayBuffer" | "signal">;

/** A body that announces no more is read at once: a stream costs as much as all the rest of a small request. */
const SMALL_BYTES = 64 * 1024;

/** To be read once. One that breaks off or stalls is an error, never an end. */
export class RequestBody implements AsyncIterable<Uint8Array>, Disposable {
  readonly #source: BodySource;
  readonly #announced: number | null;
  readonly #maxBytes: number;
  readonly #budget: MemoryBudget | undefined;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #bytes = 0;
  /** When it must be whole, on the clock of `performance.now`. */
  readonly #untilMs: number;

  /** Throws `out_of_range` for a body that announces too much. */
  constructor(source: BodySource, { maxBytes = Infinity, budget }: BodyLimits = {}) {
    const announced = source.headers.get("content-length");
    this.#announced = announced === null ? null : Number(announced);
    this.#source = source;
    this.#maxBytes = maxBytes;
    this.#budget = budget;
    this.#untilMs = budget === undefined ? Infinity : performance.now() + MAX_HELD_MS;
    if ((this.#announced ?? 0) > maxBytes) throw this.#tooLarge();
  }

  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    this.#reader = this.#source.body?.getReader();
    return chunksOf(this.#reader, (read) => this.#inTime(read), (bytes) => this.#count(bytes));
  }

  /** All of it as one piece. */
  async bytes(): Promise<Uint8Array> {
    if (this.#announced !== null && this.#announced <= SMALL_BYTES) {
      const small = new Uint8Array(await this.#inTime(this.#source.arrayBuffer()));
      this.#count(small.length);
      return small;
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of this) chunks.push(chunk);
    return joinChunks(chunks);
  }

  /** Nobody reads on, and what was read is not needed any more. */
  [Symbol.dispose](): void {
    this.#budget?.give(this.#bytes);
    // Not awaited: a body that hangs would not let go. The server drains or cuts what is left of it.
    this.#reader?.cancel().catch(() => {});
  }

  #inTime<T>(read: Promise<T>): Promise<T> {
    const leftMs = Math.max(0, this.#untilMs - performance.now());
    return inTime(read, Math.min(BODY_IDLE_TIMEOUT_MS, leftMs), this.#source.signal);
  }

  #count(bytes: number): void {
    if (this.#bytes + bytes > this.#maxBytes) throw this.#tooLarge();
    this.#budget?.take(bytes);
    this.#bytes += bytes;
  }

  #tooLarge(): WasimoffError {
    return new WasimoffError("out_of_range", `body is too large: ${this.#maxBytes} bytes are allowed`);
  }
}

async function* chunksOf(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
  inTime: <T>(read: Promise<T>) => Promise<T>,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  if (reader === undefined) return;
  for (;;) {
    const next = await inTime(reader.read());
    if (next.done) return;
    count(next.value.length);
    yield next.value;
  }
}

/** A body whose chunks make no sense never ends by itself: only its connection does. */
async function inTime<T>(read: Promise<T>, limitMs: number, signal: AbortSignal): Promise<T> {
  const stalled = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    stalled.reject(new WasimoffError("deadline_exceeded", "upload has stalled: send it again"));
  }, limitMs);
  const gone = () => stalled.reject(signal.reason);
  signal.addEventListener("abort", gone);
  if (signal.aborted) gone();
  try {
    return await Promise.race([read, stalled.promise]);
  } catch (cause) {
    if (cause instanceof WasimoffError) throw cause;
    throw new WasimoffError("canceled", "upload broke off: send it again", { cause });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", gone);
  }
}
