/** Requests to the HTTP API of the broker, with its errors as ours. */

import { type Code, CODES, WasimoffError } from "../core/errors.ts";
import { unreachableBroker } from "./unreachable_broker.ts";

/** Most of an error's body that is read, bytes. */
const MAX_ERROR_BYTES = 64 * 1024;
/** Time until a broker must have answered a request without a body. */
const ANSWER_TIMEOUT_MS = 30_000;

export interface BrokerHttpOptions {
  readonly url: URL;
  readonly token: string | null;
  readonly fetch?: typeof fetch;
}

export interface BrokerRequest {
  /** Streamed as it is read. */
  readonly body?: ReadableStream<Uint8Array>;
  /** Media type of the body, where it does not show. */
  readonly media?: string;
  readonly signal: AbortSignal;
}

export class BrokerHttp {
  readonly #url: URL;
  readonly #token: string | null;
  readonly #fetch: typeof fetch;

  constructor({ url, token, fetch: doFetch = fetch }: BrokerHttpOptions) {
    this.#url = url;
    this.#token = token;
    this.#fetch = doFetch;
  }

  /**
   * Sends a request to a path below the broker's URL. Rejects with `unavailable` when the broker cannot be
   * reached, with `unauthenticated` when it wants a token, and else with the code that it answers.
   */
  async request(method: string, path: string, { body, media, signal }: BrokerRequest): Promise<Response> {
    const bounded = body === undefined
      ? AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)])
      : signal;
    let response: Response;
    try {
      response = await this.#fetch(new URL(path, this.#url), {
        method,
        headers: {
          ...(this.#token !== null && { authorization: `Bearer ${this.#token}` }),
          ...(media !== undefined && { "content-type": media }),
        },
        signal: bounded,
        ...(body === undefined ? {} : { body }),
      });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw this.#unreachable(error);
    }
    if (response.ok) return response;
    throw await this.#refusal(response);
  }

  #unreachable(cause: unknown): WasimoffError {
    const slow = cause instanceof DOMException && cause.name === "TimeoutError";
    if (!slow) return unreachableBroker(this.#url, cause);
    const message = `the broker at "${this.#url.href}" does not answer: try again later`;
    return new WasimoffError("unavailable", message, { cause });
  }

  async #refusal(response: Response): Promise<WasimoffError> {
    const { code, message } = errorOf(await readSome(response), response.status);
    if (code !== "unauthenticated") return new WasimoffError(code, message);
    const advice = this.#token === null ? "give --token-file or WASIMOFF_TOKEN" : "check the token";
    return new WasimoffError(code, `the broker at "${this.#url.href}" refuses us: ${advice}`);
  }
}

/** The start of the body as text, so that a broker that never stops cannot fill our memory. */
async function readSome(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_ERROR_BYTES) break;
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

const BY_STATUS: Readonly<Record<number, Code>> = {
  400: "invalid_argument",
  401: "unauthenticated",
  403: "permission_denied",
  404: "not_found",
  413: "out_of_range",
  415: "invalid_argument",
  429: "resource_exhausted",
  501: "unimplemented",
  503: "unavailable",
};

/** Where the existing broker's API has no JSON, and ours keeps to it. */
const MESSAGES: Readonly<Record<number, string>> = {
  415: "the broker keeps only WebAssembly modules and ZIP archives",
};

/** Reads `{"error": {"code", "message"}}`; a proxy in between answers something else. */
function errorOf(text: string, status: number): { code: Code; message: string } {
  const message = MESSAGES[status] ?? `the broker answered HTTP ${status}`;
  const fallback = { code: BY_STATUS[status] ?? "unknown", message };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return fallback;
  }
  const error = (parsed as { error?: { code?: unknown; message?: unknown } } | null)?.error;
  const code = CODES.find((known) => known === error?.code) ?? fallback.code;
  return { code, message: typeof error?.message === "string" ? error.message : fallback.message };
}
