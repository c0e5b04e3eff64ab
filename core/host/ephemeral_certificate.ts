/** A certificate that nobody signed: who talks to us knows its hash. */

import { parseIpAddress } from "../broker/identity/ip_address.ts";
import { createKeys, keyPem, serialNumber, SIGNING } from "./certificate_key.ts";
import type { Credentials } from "./http_server.ts";

export interface EphemeralCertificate extends Credentials {
  /** SHA-256 of the DER form, hex. */
  readonly hash: string;
  /** Unix milliseconds. */
  readonly createdMs: number;
  readonly notAfterMs: number;
}

const DAY_MS = 24 * 3_600_000;
/** Browsers take 14 days by hash; a day is kept for theirs and our idea of them. */
const VALIDITY_MS = 13 * DAY_MS;
/** Valid since this long before it was made, for clients whose clock is behind. */
const BACKDATED_MS = 6 * 3_600_000;

/** Makes one for these DNS names and addresses; what is neither is left out. */
export async function createEphemeralCertificate(
  names: readonly string[],
  nowMs: number,
): Promise<EphemeralCertificate> {
  const x509 = await loadX509();
  const keys = await createKeys();
  const notBeforeMs = nowMs - BACKDATED_MS;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "O=wasimoff, CN=wasimoff broker",
    serialNumber: serialNumber(),
    keys,
    signingAlgorithm: SIGNING,
    notBefore: new Date(notBeforeMs),
    notAfter: new Date(notBeforeMs + VALIDITY_MS),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(alternativeNames(names)),
    ],
  });
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", certificate.rawData));
  return {
    cert: `${certificate.toString("pem")}\n`,
    key: await keyPem(keys),
    hash: hash.toHex(),
    createdMs: nowMs,
    notAfterMs: notBeforeMs + VALIDITY_MS,
  };
}

/** The library, loaded only where a certificate is made: it takes some 100 ms. */
export async function loadX509() {
  await import("reflect-metadata"); // it must be there first
  return await import("@peculiar/x509");
}

export interface AlternativeName {
  readonly type: "dns" | "ip";
  readonly value: string;
}

/** Labels of letters, digits, hyphens and underscores, with an optional wildcard in front. */
const DNS_NAME = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/i;
/** What ends in a number is an address, or a mistyped one (URL standard). */
const ENDS_IN_NUMBER = /(?:^|\.)\d+$/;
/** RFC 1035, in characters. */
const MAX_DNS_NAME = 253;

/** Each name once, in the form of a certificate; those that are neither DNS names nor addresses are left out. */
export function alternativeNames(names: readonly string[]): AlternativeName[] {
  return [...new Set(names)].flatMap((name): AlternativeName[] => {
    if (parseIpAddress(name) !== null) return /[[%]/.test(name) ? [] : [{ type: "ip", value: name }];
    const isName = name.length <= MAX_DNS_NAME && DNS_NAME.test(name) && !ENDS_IN_NUMBER.test(name);
    return isName ? [{ type: "dns", value: name }] : [];
  });
}
