/** The certificate that a server of TLS shows, whether it is trusted or not. */

import { connect } from "node:tls";
import { WasimoffError } from "../errors.ts";

export interface ShownCertificate {
  /** The leaf. */
  readonly pem: string;
  /** Whether this machine trusts it for that name. */
  readonly trusted: boolean;
}

/** Asks over TCP; rejects with `unavailable` when there is no TLS server, or with the signal's reason. */
export async function certificateOfServer(url: URL, signal: AbortSignal): Promise<ShownCertificate> {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({
    host,
    port: Number(url.port || 443),
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    rejectUnauthorized: false,
  }, resolve);
  const onAbort = () => socket.destroy(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  socket.once("error", reject);
  try {
    signal.throwIfAborted();
    await promise;
    const { raw } = socket.getPeerCertificate();
    const base64 = new Uint8Array(raw).toBase64().replace(/.{64}/g, "$&\n").trimEnd();
    const pem = `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
    return { pem, trusted: socket.authorized };
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    const { message } = WasimoffError.from(cause);
    throw new WasimoffError("unavailable", `cannot reach a server of TLS at "${url.host}": ${message}`, {
      cause,
    });
  } finally {
    signal.removeEventListener("abort", onAbort);
    socket.destroy();
  }
}
