/** Connects to a WebTransport server over QUIC. */

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { delay } from "../delay.ts";
import { WasimoffError } from "../errors.ts";
import { unlessAborted } from "../unless_aborted.ts";
import { connectWebTransport } from "../webtransport/client.ts";
import type { WebTransportSession } from "../webtransport/session.ts";
import { ALPN_HTTP3, QUIC_OPTIONS } from "./quic_options.ts";
import { quicStreamErrorCode } from "./quic_stream_error.ts";
import { TRUST_ADVICE } from "./server_trust.ts";

export interface DialWebTransportOptions {
  /** SHA-256 of certificates, of which the server has one; of the rest only its dates are checked then. */
  readonly certHashes?: readonly Uint8Array[];
  /** Certificates of authorities (PEM) besides those that every program trusts. */
  readonly caCerts?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
  /** Ends the attempt; the open session does not depend on it. */
  readonly signal?: AbortSignal;
}

/** For names, the handshake and the answer, over all addresses of a name. */
const CONNECT_TIMEOUT_MS = 10_000;
/** A name may have more addresses. */
const MAX_ADDRESSES = 4;
const DEFAULT_PORT = 443;
/** How long an address may keep silent before the next one is tried, too (RFC 8305 5). */
const HEAD_START_MS = 250;
/** What Deno says when TLS fails; the number is that of the alert (RFC 8446 6.2). */
const REFUSED = /cryptographic handshake failed|invalid peer certificate/;
const NO_PROTOCOL = /error 120\b/;
const EXPIRED = /invalid peer certificate: (?:Expired|certificate expired)/;

/**
 * Opens a session at `url` (https:), on a connection of its own that ends with it. Rejects with a WasimoffError
 * that names the URL and says what to do.
 */
export async function dialWebTransport(
  url: string,
  options: DialWebTransportOptions = {},
): Promise<WebTransportSession> {
  const target = parse(url);
  const late = new AbortController();
  const timer = setTimeout(
    () =>
      late.abort(
        unreachable(
          url,
          `no answer within ${CONNECT_TIMEOUT_MS / 1000} s, is its UDP port let through?`,
          undefined,
        ),
      ),
    CONNECT_TIMEOUT_MS,
  );
  const signal = AbortSignal.any(options.signal ? [options.signal, late.signal] : [late.signal]);
  try {
    const quic = await connectQuic(target, { ...options, signal });
    return await connectWebTransport(quic, {
      authority: target.host,
      path: target.pathname + target.search,
      streamErrorCode: quicStreamErrorCode,
      headers: options.headers ?? {},
      protocols: options.protocols ?? [],
      signal,
    });
  } catch (error) {
    const { code, message, cause } = WasimoffError.from(error, "unavailable");
    if (message.includes(url)) throw error;
    throw new WasimoffError(code, `cannot open a session at "${url}": ${message}`, { cause: cause ?? error });
  } finally {
    clearTimeout(timer);
  }
}

function parse(url: string): URL {
  const target = URL.parse(url);
  if (target?.protocol === "https:") return target;
  throw new WasimoffError(
    "invalid_argument",
    `cannot open a session at "${url}": the URL must begin with https://`,
  );
}

/** The first address of the name in `target` that answers wins; each has a head start before the next. */
export async function connectQuic(
  target: URL,
  { signal, ...options }: DialWebTransportOptions & { signal: AbortSignal },
): Promise<Deno.QuicConn> {
  const addresses = await addressesOf(target, signal);
  const decided = new AbortController();
  const either = AbortSignal.any([signal, decided.signal]);
  const refused = Promise.withResolvers<never>();
  const attempts = addresses.map(async (address, index) => {
    await delay(index * HEAD_START_MS, either);
    try {
      return await connectTo(address, target, { ...options, signal: either });
    } catch (error) {
      if (REFUSED.test(WasimoffError.from(error).message)) refused.reject(error);
      throw error;
    }
  });
  let winner: Deno.QuicConn | undefined;
  try {
    winner = await Promise.race([Promise.any(attempts), refused.promise]);
    return winner;
  } catch (error) {
    if (signal.aborted) throw WasimoffError.from(signal.reason, "canceled");
    throw explained(target.href, error instanceof AggregateError ? error.errors[0] : error);
  } finally {
    decided.abort();
    // Another may have connected in the same moment; errors of those that lost matter to nobody.
    for (const attempt of attempts) attempt.then((other) => other === winner || other.close(), () => {});
  }
}

async function connectTo(
  address: string,
  target: URL,
  { certHashes, caCerts, signal }: DialWebTransportOptions & { signal: AbortSignal },
): Promise<Deno.QuicConn> {
  const hashes = certHashes?.map((value) => ({ algorithm: "sha-256", value }));
  const endpoint = new Deno.QuicEndpoint({ hostname: isIP(address) === 6 ? "::" : "0.0.0.0", port: 0 });
  const connecting = Promise.resolve(Deno.connectQuic({
    ...QUIC_OPTIONS,
    endpoint,
    hostname: address,
    serverName: bare(target.hostname),
    port: Number(target.port || DEFAULT_PORT),
    alpnProtocols: [ALPN_HTTP3],
    ...(caCerts === undefined ? {} : { caCerts: [...caCerts] }),
    // Deno takes it, but its types do not know it.
    ...(hashes === undefined ? {} : { serverCertificateHashes: hashes }),
  }));
  try {
    return await unlessAborted(connecting, signal);
  } catch (error) {
    endpoint.close(); // else an attempt that nobody waits for goes on for half a minute, and the process with it
    connecting.catch(() => {}); // told already
    throw error;
  }
}

/** Of a name: both families; for "localhost" IPv4 first, which is where our listener is. */
async function addressesOf(target: URL, signal: AbortSignal): Promise<readonly string[]> {
  const name = bare(target.hostname);
  if (isIP(name) !== 0) return [name];
  if (name === "localhost") return ["127.0.0.1", "::1"];
  try {
    const found = await unlessAborted(lookup(name, { all: true, order: "verbatim" }), signal);
    return found.slice(0, MAX_ADDRESSES).map(({ address }) => address);
  } catch (error) {
    if (signal.aborted) throw error;
    throw unreachable(target.href, `there is no host "${name}"`, error);
  }
}

/** Without the brackets of IPv6. */
function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}

function explained(url: string, cause: unknown): WasimoffError {
  const reason = WasimoffError.from(cause).message;
  if (NO_PROTOCOL.test(reason)) {
    return new WasimoffError("unimplemented", `"${url}" speaks no HTTP/3 over QUIC: ${reason}`, { cause });
  }
  if (!REFUSED.test(reason)) return unreachable(url, reason, cause);
  // Also of a certificate that is known by its hash.
  const advice = EXPIRED.test(reason) ? "renew it at the broker" : TRUST_ADVICE;
  const detail = reason.replace(/^.*invalid peer certificate: /, "");
  const message = `cannot trust the certificate of "${url}" (${detail}), ${advice}`;
  return new WasimoffError("unauthenticated", message, { cause });
}

function unreachable(url: string, reason: string, cause: unknown): WasimoffError {
  return new WasimoffError("unavailable", `cannot reach "${url}": ${reason}`, { cause });
}
