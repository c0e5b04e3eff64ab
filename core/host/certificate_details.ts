/** What a certificate says, and whether browsers take it by its hash. */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { WasimoffError } from "../errors.ts";
import type { Credentials } from "./http_server.ts";

export interface CertificateDetails {
  /** DNS names and addresses that it is valid for. */
  readonly names: readonly string[];
  readonly subject: string;
  readonly issuer: string;
  readonly selfSigned: boolean;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SHA-256 of the DER form, hex: what `certhash` and `serverCertificateHashes` hold. */
  readonly hash: string;
  /** Such as `ECDSA P-256` or `RSA 2048`. */
  readonly key: string;
  /** Why browsers do not take it by hash; null when they do. */
  readonly hashProblem: string | null;
}

/** Longest time between the dates of a certificate that browsers take by hash (W3C WebTransport), ms. */
const MAX_HASH_VALIDITY_MS = 14 * 24 * 3_600_000;

/** Reads the first certificate of a PEM text; throws `invalid_argument` for what holds none. */
export function readCertificate(pem: string): CertificateDetails {
  const certificate = parse(pem);
  const { validFromDate: notBefore, validToDate: notAfter, subject, issuer } = certificate;
  const key = keyKind(certificate);
  return {
    names: alternativeNames(certificate.subjectAltName ?? ""),
    subject: oneLine(subject),
    issuer: oneLine(issuer),
    selfSigned: subject === issuer,
    notBefore,
    notAfter,
    hash: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    key,
    hashProblem: hashProblem(key, notAfter.getTime() - notBefore.getTime()),
  };
}

/** Throws `failed_precondition` unless the key is that of the first certificate. */
export function checkPair({ cert, key }: Credentials): void {
  const certificate = parse(cert);
  let matches: boolean;
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    throw new WasimoffError("failed_precondition", "the key is no private key in PEM without a password", {
      cause,
    });
  }
  if (!matches) throw new WasimoffError("failed_precondition", "the key is not that of the certificate");
}

function parse(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new WasimoffError("invalid_argument", "there is no certificate in PEM", { cause });
  }
}

/** `DNS:localhost, IP Address:127.0.0.1` as node writes it; no name that browsers accept needs its quoting. */
function alternativeNames(text: string): string[] {
  return [...text.matchAll(/(?:^|, )(?:DNS|IP Address):([^,"]+)/g)].map(([, name]) => name!);
}

const CURVES: Readonly<Record<string, string>> = {
  prime256v1: "P-256",
  secp384r1: "P-384",
  secp521r1: "P-521",
};

function keyKind({ publicKey }: X509Certificate): string {
  const { asymmetricKeyType: type = "unknown", asymmetricKeyDetails: details } = publicKey;
  if (type === "ec") {
    const curve = details?.namedCurve ?? "unknown curve";
    return `ECDSA ${CURVES[curve] ?? curve}`;
  }
  return type === "rsa" ? `RSA ${details?.modulusLength}` : type;
}

function hashProblem(key: string, validityMs: number): string | null {
  if (key !== "ECDSA P-256") return `its key is ${key}, not ECDSA P-256`;
  if (validityMs > MAX_HASH_VALIDITY_MS) return "it is valid for more than 14 days";
  return null;
}

const oneLine = (name: string) => name.replaceAll("\n", ", ");
