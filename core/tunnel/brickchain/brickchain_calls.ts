/** HTTP requests that wait for their http-response on one control connection. */

import { WasimoffError } from "../../errors.ts";
import type { HttpResponseDocument } from "./brickchain_document.ts";

/** Requests of one client that may be unanswered at once: what 64 connections of the public keep busy, twice. */
export const MAX_PENDING_CALLS = 128;
/** Then the public side gets 504. */
export const ANSWER_TIMEOUT_MS = 30_000;

export class BrickchainCalls {
  readonly #pending = new Map<string, PromiseWithResolvers<HttpResponseDocument>>();

  get full(): boolean {
    return this.#pending.size >= MAX_PENDING_CALLS;
  }

  /** Whether somebody still waits for the answer to the request of this id. */
  awaits(id: string): boolean {
    return this.#pending.has(id);
  }

  /**
   * Resolves with the answer to the request of this id. Rejects with `deadline_exceeded` without one, with the signal's
   * reason, or as `fail` and `failAll` say.
   */
  async answer(id: string, signal: AbortSignal): Promise<HttpResponseDocument> {
    const pending = Promise.withResolvers<HttpResponseDocument>();
    this.#pending.set(id, pending);
    const onAbort = () => pending.reject(WasimoffError.from(signal.reason, "canceled"));
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    const timer = setTimeout(
      () => pending.reject(new WasimoffError("deadline_exceeded", "timeout")),
      ANSWER_TIMEOUT_MS,
    );
    try {
      return await pending.promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      this.#pending.delete(id);
    }
  }

  /** Answers that come too late, or to nothing, are dropped. */
  settle(document: HttpResponseDocument): void {
    this.#pending.get(document.id)?.resolve(document);
  }

  fail(id: string, error: WasimoffError): void {
    this.#pending.get(id)?.reject(error);
  }

  failAll(error: WasimoffError): void {
    for (const { reject } of this.#pending.values()) reject(error);
  }
}
