/** An authority for development: certificates for a few names, for programs and browsers that are told to trust it. */

import { WasimoffError } from "../errors.ts";
import { encodeConstraints, NAME_CONSTRAINTS_OID, permits } from "./certificate_constraints.ts";
import { createKeys, keyPem, serialNumber, SIGNING, signingKey } from "./certificate_key.ts";
import { alternativeNames, loadX509 } from "./ephemeral_certificate.ts";
import type { Credentials } from "./http_server.ts";

const DAY_MS = 24 * 3_600_000;
const AUTHORITY_DAYS = 3652; // ten years
/** Browsers take no more of a public authority; some apply it to all. */
const LEAF_DAYS = 397;
/** For machines whose clock is behind. */
const BACKDATED_MS = 3_600_000;

/** Makes an authority that can sign for these names, for names below them, and for nothing else. */
export async function createAuthority(names: readonly string[], nowMs: number): Promise<Credentials> {
  const x509 = await loadX509();
  const keys = await createKeys();
  const { keyCertSign, cRLSign } = x509.KeyUsageFlags;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "O=wasimoff, CN=wasimoff development authority",
    serialNumber: serialNumber(),
    keys,
    signingAlgorithm: SIGNING,
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(nowMs + AUTHORITY_DAYS * DAY_MS),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      new x509.Extension(NAME_CONSTRAINTS_OID, true, encodeConstraints(names)),
    ],
  });
  return { cert: `${certificate.toString("pem")}\n`, key: await keyPem(keys) };
}

/** Signs a certificate with a key of its own; `failed_precondition` when the authority may not sign for a name. */
export async function issueCertificate(
  authority: Credentials,
  names: readonly string[],
  nowMs: number,
): Promise<Credentials> {
  const x509 = await loadX509();
  const issuer = new x509.X509Certificate(authority.cert);
  const constraints = issuer.getExtension(NAME_CONSTRAINTS_OID);
  const allowed = new Uint8Array(constraints?.value ?? []);
  for (const name of names) {
    if (!permits(allowed, name)) {
      const message = `the authority may not sign for "${name}": use another directory`;
      throw new WasimoffError("failed_precondition", message);
    }
  }
  const keys = await createKeys();
  const notAfterMs = Math.min(nowMs + LEAF_DAYS * DAY_MS, issuer.notAfter.getTime());
  const certificate = await x509.X509CertificateGenerator.create({
    subject: "O=wasimoff, CN=wasimoff development",
    issuer: issuer.subject,
    serialNumber: serialNumber(),
    publicKey: keys.publicKey,
    signingKey: await signingKey(authority.key),
    signingAlgorithm: SIGNING,
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(notAfterMs),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(alternativeNames(names)),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${certificate.toString("pem")}\n`, key: await keyPem(keys) };
}
