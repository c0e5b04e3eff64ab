/** A certificate for tests over QUIC: for localhost and 127.0.0.1, and such that browsers take it by its hash. */

import "reflect-metadata";
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
/** Browsers take a certificate by its hash when it is valid for less than 14 days. */
const VALID_MS = 13 * 24 * 60 * 60 * 1000;
/** Clocks of test machines differ by less. */
const EARLIER_MS = 60_000;

/** PEM texts of a new self-signed certificate and of its key (PKCS 8), and the SHA-256 of its DER bytes. */
export async function makeTestCertificate(): Promise<{ cert: string; key: string; hash: Uint8Array }> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=wasimoff test",
    serialNumber: "01",
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() - EARLIER_MS),
    notAfter: new Date(Date.now() - EARLIER_MS + VALID_MS),
    extensions: [
      new SubjectAlternativeNameExtension([
        { type: "dns", value: "localhost" },
        { type: "ip", value: "127.0.0.1" },
      ]),
    ],
  });
  const hash = await crypto.subtle.digest("SHA-256", certificate.rawData);
  return {
    cert: certificate.toString("pem"),
    key: pem("PRIVATE KEY", await crypto.subtle.exportKey("pkcs8", keys.privateKey)),
    hash: new Uint8Array(hash),
  };
}

function pem(label: string, der: ArrayBuffer): string {
  const lines = new Uint8Array(der).toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
