/** Checks the certificate that an HTTPS server shows. */

import { isIP } from "node:net";
import { connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { WasimoffError } from "../../errors.ts";
import { startHash } from "../hash.ts";
import { type ServerTrust, TRUST_ADVICE, trustedCas } from "../server_trust.ts";
import type { Verdict } from "./diagnosis.ts";

const DAY_MS = 86_400_000;
/** A certificate that ends sooner is worth a word. */
export const SOON_MS = 7 * DAY_MS;

export interface TlsCheckOptions {
  readonly trust: ServerTrust;
  /** Unix milliseconds. */
  readonly now: number;
  readonly signal: AbortSignal;
}

export async function checkTls(url: URL, { trust, now, signal }: TlsCheckOptions): Promise<Verdict<true>> {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const socket = connect({
    host,
    port: Number(url.port || 443),
    rejectUnauthorized: false, // what is wrong is to be told
    ...trustedCas(trust),
    ...(isIP(host) === 0 && { servername: host }),
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once("secureConnect", resolve);
  socket.on("error", reject);
  const leave = () => void socket.destroy(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  try {
    await promise;
    return judge(socket, trust, now);
  } catch (error) {
    if (signal.aborted) throw error;
    const advice = `check whether it speaks plain HTTP: give --url http://${url.host}`;
    return { status: "fail", detail: `no TLS: ${WasimoffError.from(error).message}`, advice };
  } finally {
    signal.removeEventListener("abort", leave);
    socket.destroy();
  }
}

function judge(socket: TLSSocket, { certHashes }: ServerTrust, now: number): Verdict<true> {
  const certificate: PeerCertificate = socket.getPeerCertificate();
  const hash = startHash();
  hash.update(certificate.raw);
  const shown = hash.digest();
  const leftMs = Date.parse(certificate.valid_to) - now;
  const names = (certificate.subjectaltname ?? "").replaceAll(/DNS:|IP Address:/g, "") || "no names";
  const detail = `for ${names}; until ${certificate.valid_to}; SHA-256 ${shown}`;
  if (certHashes.length > 0) {
    const pinned = certHashes.some((certHash) => certHash.toHex() === shown);
    if (pinned) return { status: "ok", detail: `${detail}; as --cert-hash says`, value: true };
    return { status: "fail", detail: `${detail}; not as --cert-hash says`, advice: TRUST_ADVICE };
  }
  if (leftMs <= 0) return { status: "fail", detail: `ended: ${detail}`, advice: "renew it at the broker" };
  if (!socket.authorized) {
    const reason = String(socket.authorizationError);
    return { status: "fail", detail: `not trusted (${reason}): ${detail}`, advice: TRUST_ADVICE };
  }
  if (leftMs > SOON_MS) return { status: "ok", detail, value: true };
  const days = Math.floor(leftMs / DAY_MS);
  return {
    status: "warn",
    detail: `ends in ${days} days: ${detail}`,
    advice: "renew it at the broker",
    value: true,
  };
}
