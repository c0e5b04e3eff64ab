/** A certificate for tests over QUIC: for localhost and 127.0.0.1, and such that browsers take it by its hash. */

import { createEphemeralCertificate } from "../../core/host/ephemeral_certificate.ts";

/** PEM texts of a new self-signed certificate and of its key (PKCS 8), and the SHA-256 of its DER bytes. */
export async function makeTestCertificate(): Promise<
  { cert: string; key: string; hash: Uint8Array<ArrayBuffer> }
> {
  const { cert, key, hash } = await createEphemeralCertificate(["localhost", "127.0.0.1"], Date.now());
  return { cert, key, hash: Uint8Array.fromHex(hash) };
}
