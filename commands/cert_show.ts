/** `wasimoff cert show`: what a certificate says, and who takes it. */

import { WasimoffError } from "../core/errors.ts";
import { type CertificateDetails, readCertificate } from "../core/host/certificate_details.ts";
import { certificateOfServer } from "../core/host/certificate_of_server.ts";
import { usageError } from "./usage_error.ts";

export interface ShownCertificate extends CertificateDetails {
  /** Whether this machine trusts a server's certificate; null for a file. */
  readonly trusted: boolean | null;
}

/** Longest file that is read. */
const MAX_FILE_BYTES = 1024 * 1024;
/** Until a server must have shown its certificate. */
const ANSWER_TIMEOUT_MS = 10_000;
const DAY_MS = 24 * 3_600_000;

/** Reads a PEM file, or asks a server of HTTPS. */
export async function findCertificate(place: string, signal: AbortSignal): Promise<ShownCertificate> {
  if (!/^[a-z]+:\/\//i.test(place)) return { ...await certificateInFile(place), trusted: null };
  const url = URL.parse(place);
  if (url?.protocol !== "https:") {
    throw usageError(`"${place}" is no URL of a server: write "https://localhost:4080"`);
  }
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
  const { pem, trusted } = await certificateOfServer(url, limit);
  return { ...readCertificate(pem), trusted };
}

/** For people. */
export function describeCertificate(certificate: ShownCertificate, nowMs: number): string {
  const { names, subject, issuer, selfSigned, notBefore, notAfter, hash, key } = certificate;
  const rows = {
    names: names.join(", ") || "none",
    subject,
    issuer: selfSigned ? "itself" : issuer,
    valid: `${notBefore.toISOString()} to ${notAfter.toISOString()} (${remaining(certificate, nowMs)})`,
    key,
    hash,
    browsers: forBrowsers(certificate),
    ...(certificate.trusted !== null &&
      { "this machine": certificate.trusted ? "trusts it" : "does not trust it" }),
  };
  const width = Math.max(...Object.keys(rows).map(({ length }) => length)) + 2;
  return Object.entries(rows).map(([name, value]) => name.padEnd(width) + value).join("\n");
}

/** For programs. */
export function certificateJson({ hashProblem, notBefore, notAfter, ...rest }: ShownCertificate) {
  return {
    ...rest,
    notBefore: notBefore.toISOString(),
    notAfter: notAfter.toISOString(),
    byHash: hashProblem === null,
    hashProblem,
  };
}

function remaining({ notBefore, notAfter }: CertificateDetails, nowMs: number): string {
  if (nowMs < notBefore.getTime()) return "not valid yet";
  const leftMs = notAfter.getTime() - nowMs;
  return leftMs < 0
    ? "expired"
    : leftMs < DAY_MS
    ? "less than a day left"
    : `${Math.floor(leftMs / DAY_MS)} days left`;
}

function forBrowsers({ hashProblem }: CertificateDetails): string {
  return hashProblem === null
    ? "take it by its hash, without trusting it"
    : `must trust its authority, they do not take it by hash: ${hashProblem}`;
}

async function certificateInFile(path: string): Promise<CertificateDetails> {
  try {
    return readCertificate(await readPem(path));
  } catch (cause) {
    const { code, message } = WasimoffError.from(cause, "not_found");
    const detail = cause instanceof Deno.errors.NotFound ? "there is no such file" : message;
    throw new WasimoffError(code, `read "${path}": ${detail}`, { cause });
  }
}

/** Pipes and devices do not tell their size. */
async function readPem(path: string): Promise<string> {
  using file = await Deno.open(path);
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of file.readable) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_FILE_BYTES) {
      throw new WasimoffError("invalid_argument", "it is too large for a certificate");
    }
  }
  return text;
}
