/** `wasimoff cert new`: an authority for development, and a certificate for the given names. */

import { WasimoffError } from "../core/errors.ts";
import { createAuthority, issueCertificate } from "../core/host/certificate_authority.ts";
import { checkPair, readCertificate } from "../core/host/certificate_details.ts";
import { alternativeNames } from "../core/host/ephemeral_certificate.ts";
import type { Credentials } from "../core/host/http_server.ts";
import type { Logger } from "../core/log.ts";
import { formatTable } from "./table.ts";
import { usageError } from "./usage_error.ts";

export interface CertNewOptions {
  readonly names: readonly string[];
  /** Where the certificate goes. */
  readonly out: string;
  /** Where the authority is, or goes. */
  readonly caDir: string;
  readonly log: Logger;
}

/** Files that were written or used, and what the certificate says. */
export interface NewCertificate {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly names: readonly string[];
  readonly hash: string;
  /** ISO 8601. */
  readonly until: string;
}

/** Makes what is missing; `already_exists` rather than write over a file. */
export async function newCertificate({ names, out, caDir, log }: CertNewOptions): Promise<NewCertificate> {
  const unique = checkNames(names);
  const stem = `${out}/${unique[0]!.replace("*", "wildcard").replaceAll(":", "_")}`;
  const paths = { cert: `${stem}.pem`, key: `${stem}-key.pem` };
  for (const path of Object.values(paths)) {
    if (await exists(path)) throw taken(path);
  }
  const authority = await openAuthority(caDir, unique, log);
  const issued = await issueCertificate(authority, unique, Date.now());
  await Deno.mkdir(out, { recursive: true });
  await writePair(paths, issued);
  const { hash, notAfter } = readCertificate(issued.cert);
  return { ...paths, ca: `${caDir}/ca.pem`, names: unique, hash, until: notAfter.toISOString() };
}

/** The files as a table. */
export function newCertificateTable({ cert, key, ca, until }: NewCertificate): string {
  return formatTable(["FILE", "WHAT IT IS"], [
    [cert, `certificate, until ${until.slice(0, 10)}`],
    [key, "its key, for the broker only"],
    [ca, "authority, to be trusted"],
  ]);
}

/** How to use and trust it, line by line. */
export function trustAdvice({ cert, key, ca, names }: NewCertificate): string[] {
  const host = names[0]!.includes(":") ? `[${names[0]}]` : names[0]!.replace("*", "www");
  const quoted = quote(ca);
  return [
    `serve it:     wasimoff broker --http :4080 --quic :4443 --https --cert ${quote(cert)} --key ${
      quote(key)
    }`,
    `programs:     wasimoff provider --url https://${host}:4080 --ca ${quoted}`,
    `Debian:       sudo cp ${quoted} /usr/local/share/ca-certificates/wasimoff.crt && sudo update-ca-certificates`,
    `Chromium:     certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n wasimoff -i ${quoted}`,
    "              and, for WebTransport, enable chrome://flags/#webtransport-developer-mode",
    `Firefox:      Settings, Privacy & Security, View Certificates, Authorities, Import ${quoted}`,
  ];
}

function checkNames(names: readonly string[]): string[] {
  const unique = [...new Set(names.map((name) => name.toLowerCase()))];
  for (const name of unique) {
    if (alternativeNames([name]).length === 0) {
      throw usageError(`"${name}" is no name for a certificate: write "localhost", "*.lan" or "192.168.1.5"`);
    }
  }
  return unique;
}

async function openAuthority(directory: string, names: readonly string[], log: Logger): Promise<Credentials> {
  const paths = { cert: `${directory}/ca.pem`, key: `${directory}/ca-key.pem` };
  if (await exists(paths.cert)) {
    const [cert, key] = await Promise.all([paths.cert, paths.key].map(read));
    checkPair({ cert: cert!, key: key! });
    log.info(`using the authority in "${paths.cert}"`);
    return { cert: cert!, key: key! };
  }
  const made = await createAuthority(names, Date.now());
  await Deno.mkdir(directory, { recursive: true });
  await writePair(paths, made);
  return made;
}

async function writePair(paths: Credentials, { cert, key }: Credentials): Promise<void> {
  await write(paths.key, key, 0o600);
  await write(paths.cert, cert, 0o644);
}

async function write(path: string, text: string, mode: number): Promise<void> {
  try {
    await Deno.writeTextFile(path, text, { createNew: true, mode });
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) throw taken(path);
    throw fileError("write", path, cause);
  }
}

async function read(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    throw fileError("read", path, cause);
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

function taken(path: string): WasimoffError {
  return new WasimoffError("already_exists", `file "${path}" is there already: remove it, or give -o`);
}

function fileError(action: string, path: string, cause: unknown): WasimoffError {
  const { message } = WasimoffError.from(cause);
  return new WasimoffError("failed_precondition", `${action} "${path}": ${message}`, { cause });
}

/** For a shell, where a path needs it. */
function quote(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
