/** Fetches files from a broker over HTTP. */

import { WasimoffError } from "../errors.ts";
import { explainFetch } from "./fetch_failure.ts";
import type { FileRef } from "../storage/file_store.ts";

export interface FetchFileOptions {
  /** null for none. */
  readonly token: string | null;
  /** Default the platform's, which trusts what every program does. */
  readonly fetch?: typeof fetch;
  /** Default FETCH_IDLE_TIMEOUT_MS. */
  readonly idleTimeoutMs?: number;
  readonly signal: AbortSignal;
}

/** A broker that brings nothing for so long is given up, so that the next task asks again. */
const FETCH_IDLE_TIMEOUT_MS = 20_000;

/**
 * The content of a file below `storage`, as it arrives and not yet verified. Rejects with `not_found`,
 * `unauthenticated`, or `unavailable` when the broker cannot be reached or answers otherwise.
 */
export async function fetchFile(
  storage: URL,
  ref: FileRef,
  { token, fetch: get = fetch, idleTimeoutMs = FETCH_IDLE_TIMEOUT_MS, signal }: FetchFileOptions,
): Promise<AsyncIterable<Uint8Array>> {
  const idle = new IdleTimer(idleTimeoutMs);
  const either = AbortSignal.any([signal, idle.signal]);
  const url = `${storage.href.replace(/\/$/, "")}/${ref}`; // not resolved: "sha256:" would pass for a scheme
  const headers: HeadersInit = token === null ? {} : { authorization: `Bearer ${token}` };
  let response: Response;
  try {
    response = await get(url, { headers, signal: either });
  } catch (cause) {
    idle.stop();
    if (either.aborted) throw either.reason;
    throw new WasimoffError(
      "unavailable",
      `cannot fetch "${url}" from the broker: ${explainFetch(cause).reason}`,
      { cause },
    );
  }
  if (response.ok && response.body !== null) return idle.watch(response.body);
  idle.stop();
  await response.body?.cancel();
  if (response.status === 404) throw new WasimoffError("not_found", `broker does not have "${ref}"`);
  const code = response.status === 401 ? "unauthenticated" : "unavailable";
  throw new WasimoffError(code, `broker answered ${response.status} for "${ref}"`);
}

/**
 * Where a broker says that its files are: a path on it. Throws `permission_denied` for anywhere else, which would be
 * told the token.
 */
export function storageAt(broker: URL, storagePath: string): URL {
  const url = new URL(storagePath.replace(/^\/+/, ""), broker);
  if (url.origin === broker.origin) return url;
  throw new WasimoffError("permission_denied", `broker names a storage elsewhere: "${url.origin}"`);
}

/** Aborts its signal when nothing has come for so long: a dead connection says nothing by itself. */
class IdleTimer {
  readonly #controller = new AbortController();
  readonly #timeoutMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#arm();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** The same chunks; time that the reader takes for one does not count. */
  async *watch(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body) {
        this.stop();
        yield chunk;
        this.#arm();
      }
    } finally {
      this.stop();
    }
  }

  #arm(): void {
    this.#timer = setTimeout(() => {
      const message = `broker has sent nothing of a file for ${this.#timeoutMs / 1000} s`;
      this.#controller.abort(new WasimoffError("unavailable", message));
    }, this.#timeoutMs);
  }
}
