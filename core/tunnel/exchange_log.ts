/** What went through an HTTP tunnel lately, for its owner to look at. */

import type { RawHeaders } from "./end_to_end_headers.ts";

/** Bytes of a body that are kept. */
export const MAX_KEPT_BODY_BYTES = 8 * 1024;
/** Exchanges that are kept. */
export const MAX_EXCHANGES = 200;
/** Characters of headers and bytes of bodies that are kept in all. */
export const MAX_KEPT_BYTES = 4 * 1024 * 1024;

export interface RecordedMessage {
  readonly headers: RawHeaders;
  /** The first bytes of the body. */
  readonly body: readonly Uint8Array[];
  /** Length of the whole body so far. */
  readonly bodyBytes: number;
}

export interface Exchange {
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly method: string;
  readonly target: string;
  readonly request: RecordedMessage;
  /** null until it begins. */
  readonly answer: (RecordedMessage & { readonly status: number; readonly reason: string }) | null;
  /** Milliseconds from the request's to the answer's end; null until then. */
  readonly tookMs: number | null;
}

export interface NewExchange {
  readonly method: string;
  readonly target: string;
  readonly headers: RawHeaders;
}

class Message implements RecordedMessage {
  readonly body: Uint8Array[] = [];
  bodyBytes = 0;
  #kept = 0;

  constructor(readonly headers: RawHeaders) {}

  /** Bytes that were kept of it. */
  add(chunk: Uint8Array): number {
    this.bodyBytes += chunk.length;
    const part = chunk.slice(0, MAX_KEPT_BODY_BYTES - this.#kept); // a copy: a view would keep all of it
    if (part.length === 0) return 0;
    this.#kept += part.length;
    this.body.push(part);
    return part.length;
  }
}

class Entry implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly request: Message;
  answer: (Message & { status: number; reason: string }) | null = null;
  tookMs: number | null = null;
  /** What it counts for in the bound of all. */
  size = 0;

  constructor(readonly id: number, readonly startedAt: number, { method, target, headers }: NewExchange) {
    this.method = method;
    this.target = target;
    this.request = new Message(headers);
  }
}

/** Tells the log how one exchange goes on. */
export interface Recording {
  requestBody(chunk: Uint8Array): void;
  answer(status: number, reason: string, headers: RawHeaders): void;
  answerBody(chunk: Uint8Array): void;
  ended(): void;
}

export class ExchangeLog {
  readonly #entries = new Map<number, Entry>();
  readonly #listeners = new Set<(exchange: Exchange) => void>();
  readonly #now: () => number;
  #lastId = 0;
  #size = 0;

  /** `now` in milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Those that are kept, oldest first. */
  get exchanges(): Iterable<Exchange> {
    return this.#entries.values();
  }

  /** Calls for each change until the returned function is called. */
  subscribe(listener: (exchange: Exchange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  begin(exchange: NewExchange): Recording {
    const entry = new Entry(++this.#lastId, this.#now(), exchange);
    this.#entries.set(entry.id, entry);
    this.#grow(entry, exchange.target.length + charsOf(exchange.headers));
    return {
      requestBody: (chunk) => this.#grow(entry, entry.request.add(chunk)),
      answer: (status, reason, headers) => {
        entry.answer = Object.assign(new Message(headers), { status, reason });
        this.#grow(entry, charsOf(headers));
      },
      answerBody: (chunk) => this.#grow(entry, entry.answer?.add(chunk) ?? 0),
      ended: () => {
        entry.tookMs = this.#now() - entry.startedAt;
        this.#grow(entry, 0);
      },
    };
  }

  #grow(entry: Entry, size: number): void {
    if (!this.#entries.has(entry.id)) return; // forgotten meanwhile
    entry.size += size;
    this.#size += size;
    for (const oldest of this.#entries.values()) {
      if (this.#entries.size <= MAX_EXCHANGES && this.#size <= MAX_KEPT_BYTES) break;
      this.#entries.delete(oldest.id);
      this.#size -= oldest.size;
    }
    for (const listener of this.#listeners) listener(entry);
  }
}

function charsOf(headers: RawHeaders): number {
  return headers.reduce((sum, { length }) => sum + length, 0);
}
