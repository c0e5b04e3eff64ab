/** Where a broker offers WebTransport: the document that it serves to everybody (wasimoff-v1 13.2). */

import { WasimoffError } from "../errors.ts";
import { explainFetch } from "./fetch_failure.ts";
import type { ServerTrust } from "./server_trust.ts";
import { openFetch } from "./trusted_fetch.ts";

export interface BrokerConfig {
  /** Ends with a slash; the endpoints are below. */
  readonly transport: URL;
  /** SHA-256 of certificates that nobody has signed; empty when the broker has one to be trusted as any other. */
  readonly certHashes: readonly Uint8Array[];
  /** When the certificate that is served ends; null when the broker does not say. */
  readonly expires: Date | null;
}

export interface BrokerConfigOptions {
  /** null for none. */
  readonly token: string | null;
  readonly trust: ServerTrust;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** The broker does not say where it offers WebTransport, or cannot be asked. */
export class NoConfigError extends WasimoffError {}

/** Path below the URL of a broker. */
export const CONFIG_PATH = "api/broker/v1/config";

/** The document has some hundred. */
const MAX_CONFIG_BYTES = 64 * 1024;
/** Certificates overlap in pairs. */
const MAX_CERT_HASHES = 16;

/** Asks the broker at `url`, which ends with a slash. Rejects with a NoConfigError, or the reason of `signal`. */
export async function fetchBrokerConfig(url: URL, options: BrokerConfigOptions): Promise<BrokerConfig> {
  const { token, trust, timeoutMs, signal } = options;
  const timeout = AbortSignal.timeout(timeoutMs);
  const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  const headers: HeadersInit = token === null ? {} : { authorization: `Bearer ${token}` };
  const place = new URL(CONFIG_PATH, url);
  using trusted = openFetch(trust);
  try {
    const response = await trusted.fetch(place, { headers, signal: either, redirect: "error" });
    if (response.ok) return parseBrokerConfig(await readBounded(response));
    await response.body?.cancel();
    const code = response.status === 401 ? "unauthenticated" : "unimplemented";
    throw new NoConfigError(code, `"${url.href}" offers no WebTransport: HTTP status ${response.status}`);
  } catch (cause) {
    if (signal?.aborted) throw WasimoffError.from(signal.reason, "canceled");
    if (cause instanceof NoConfigError) throw cause;
    const { reason } = explainFetch(cause);
    throw new NoConfigError("unavailable", `cannot fetch "${place.href}": ${reason}`, { cause });
  }
}

/** Reads the document. Throws a NoConfigError for anything else. */
export function parseBrokerConfig(text: string): BrokerConfig {
  let document: Partial<Record<"transport" | "certhash" | "certhashes" | "certexpires", unknown>> | null;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new NoConfigError("unimplemented", "the broker's config is no JSON", { cause });
  }
  const { transport, certhash, certhashes, certexpires } = document ?? {};
  if (transport === "") throw new NoConfigError("unimplemented", "the broker offers no WebTransport here");
  const url = typeof transport === "string" ? URL.parse(transport) : null;
  if (url === null || url.protocol !== "https:" || url.username !== "" || url.search !== "") {
    throw new NoConfigError("unimplemented", "the broker's config names no URL of WebTransport");
  }
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  const texts = Array.isArray(certhashes) ? certhashes : certhash === undefined ? [] : [certhash];
  const expiresMs = typeof certexpires === "string" ? Date.parse(certexpires) : NaN;
  return {
    transport: url,
    certHashes: texts.slice(0, MAX_CERT_HASHES).map(parseHash),
    expires: Number.isNaN(expiresMs) ? null : new Date(expiresMs),
  };
}

function parseHash(text: unknown): Uint8Array {
  if (typeof text === "string" && /^[0-9a-f]{64}$/i.test(text)) return Uint8Array.fromHex(text);
  throw new NoConfigError("unimplemented", "the broker's config has a hash that is no SHA-256 in hex");
}

async function readBounded(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_CONFIG_BYTES) throw new NoConfigError("unimplemented", "the broker's config is too long");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
