/** TLS with a server that is known by the hash of its certificate. */

import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { WasimoffError } from "../errors.ts";
import { startHash } from "./hash.ts";

/** From the first packet to the end of the handshake. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

export interface PinnedSocketOptions {
  /** SHA-256 of the certificates of which the server must show one. */
  readonly certHashes: readonly Uint8Array[];
  readonly signal?: AbortSignal;
}

/**
 * Connects to the host and port of `url` (https: or wss:), for HTTP/1.1. Resolves when the server has proved that it
 * has the key of such a certificate, before it is told anything; rejects with `unavailable`.
 */
export async function openPinnedSocket(url: URL, options: PinnedSocketOptions): Promise<TLSSocket> {
  const { certHashes, signal } = options;
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const socket = connect({
    host,
    port: Number(url.port || 443),
    rejectUnauthorized: false, // the hash is checked instead; that the server has the key always is
    ALPNProtocols: ["http/1.1"],
    ...(isIP(host) === 0 && { servername: host }),
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const late = () => {
    const message = `no TLS with "${url.href}" within ${HANDSHAKE_TIMEOUT_MS / 1000} s`;
    reject(new WasimoffError("unavailable", message));
  };
  const timer = setTimeout(late, HANDSHAKE_TIMEOUT_MS);
  const onAbort = () => reject(WasimoffError.from(signal!.reason, "canceled"));
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  socket.on("error", reject); // stays: a socket that is given up may fail, too
  socket.once("secureConnect", resolve);
  try {
    await promise;
    checkCertificate(url, socket, certHashes);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

function checkCertificate(url: URL, socket: TLSSocket, certHashes: readonly Uint8Array[]): void {
  const hash = startHash();
  hash.update(socket.getPeerCertificate().raw);
  const shown = hash.digest();
  if (certHashes.some((pinned) => pinned.toHex() === shown)) return;
  const message =
    `"${url.origin}" shows another certificate than --cert-hash says: its SHA-256 is "${shown}"`;
  throw new WasimoffError("unavailable", message);
}
