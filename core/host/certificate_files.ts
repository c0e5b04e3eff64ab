/** A certificate and its key from files, read again whenever they change. */

import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { type CertificateDetails, checkPair, readCertificate } from "./certificate_details.ts";
import type { CertificateSource } from "./certificate_source.ts";
import type { Credentials } from "./http_server.ts";
import { readOperatorFile } from "./operator_file.ts";

export interface CertificateFilesOptions {
  /** PEM: the leaf first, then the rest of its chain. */
  readonly certPath: string;
  /** PEM without a password. */
  readonly keyPath: string;
  readonly logger: Logger;
  /** How often the files are looked at. */
  readonly pollMs?: number;
}

/** Soon enough for a renewal, and nothing to a disk. */
const POLL_MS = 10_000;
/** Far above any chain. */
const MAX_FILE_BYTES = 1024 * 1024;

interface Pair {
  readonly credentials: Credentials;
  readonly details: CertificateDetails;
}

export class CertificateFiles implements CertificateSource {
  readonly kind = "file";
  readonly hashes: readonly string[] = [];
  readonly #options: CertificateFilesOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  #pair: Pair;
  /** What the files looked like when they were read last. */
  #seen: string;
  #listener: (credentials: Credentials) => void = () => {};
  /** Reads one after the other: a signal may come while the files are looked at. */
  #last: Promise<void> = Promise.resolve();

  private constructor(options: CertificateFilesOptions, pair: Pair, seen: string) {
    this.#options = options;
    this.#pair = pair;
    this.#seen = seen;
    this.#timer = setInterval(() => void this.#queue(() => this.#poll()), options.pollMs ?? POLL_MS);
  }

  /** Rejects with `failed_precondition` for files that cannot be read or do not belong together. */
  static async open(options: CertificateFilesOptions): Promise<CertificateFiles> {
    const seen = await lookAt(options);
    return new CertificateFiles(options, await readPair(options), seen);
  }

  get credentials(): Credentials {
    return this.#pair.credentials;
  }

  get names(): readonly string[] {
    return this.#pair.details.names;
  }

  onChange(listener: (credentials: Credentials) => void): void {
    this.#listener = listener;
  }

  /** Reads the files now; files that cannot be used leave the certificate as it is, with a warning. */
  reload(): Promise<void> {
    return this.#queue(async () => await this.#read(await lookAt(this.#options)));
  }

  close(): Promise<void> {
    clearInterval(this.#timer);
    return this.#last;
  }

  #queue(step: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(step);
    return this.#last;
  }

  async #poll(): Promise<void> {
    const seen = await lookAt(this.#options);
    if (seen !== this.#seen) await this.#read(seen);
  }

  async #read(seen: string): Promise<void> {
    // A file that is written now looks different at the next poll, and is read then.
    this.#seen = seen;
    const { logger } = this.#options;
    try {
      const pair = await readPair(this.#options);
      this.#listener(pair.credentials);
      this.#pair = pair;
    } catch (error) {
      const { message } = WasimoffError.from(error);
      logger.warn(`the certificate stays as it is: ${message}`);
      return;
    }
    const { notAfter, hash } = this.#pair.details;
    logger.info("serving the certificate as read anew", { until: notAfter.toISOString(), hash });
  }
}

async function readPair({ certPath, keyPath, logger }: CertificateFilesOptions): Promise<Pair> {
  // One after the other, so that the certificate is named when both are missing.
  const cert = blocks(await readPem(certPath), "CERTIFICATE");
  const key = blocks(await readPem(keyPath), "PRIVATE KEY");
  const details = within(certPath, () => readCertificate(cert));
  within(keyPath, () => checkPair({ cert, key }));
  const { notBefore, notAfter } = details;
  if (notAfter.getTime() < Date.now()) {
    logger.warn(`the certificate in "${certPath}" has expired`, { at: notAfter.toISOString() });
  } else if (notBefore.getTime() > Date.now()) {
    logger.warn(`the certificate in "${certPath}" is not valid yet`, { from: notBefore.toISOString() });
  }
  return { credentials: { cert, key }, details };
}

/** Only the blocks of PEM whose label ends so: some keep key, parameters and certificates in one file. */
function blocks(pem: string, label: string): string {
  const found = pem.match(new RegExp(`-----BEGIN ([A-Z ]*${label})-----[^-]+-----END \\1-----`, "g")) ?? [];
  return found.map((block) => `${block}\n`).join("");
}

function within<T>(path: string, step: () => T): T {
  try {
    return step();
  } catch (cause) {
    const { message } = WasimoffError.from(cause);
    throw new WasimoffError("failed_precondition", `read "${path}": ${message}`, { cause });
  }
}

function readPem(path: string): Promise<string> {
  const limit = { bytes: MAX_FILE_BYTES, message: "it is too large for a certificate or key" };
  return readOperatorFile(path, { what: "", limit });
}

/** Differs whenever one of the files was written or replaced, also through a symbolic link. */
async function lookAt({ certPath, keyPath }: CertificateFilesOptions): Promise<string> {
  const looks = await Promise.all([certPath, keyPath].map(async (path) => {
    const info = await Deno.stat(path).catch(() => null); // reading it says why
    return info === null ? "none" : `${info.dev}:${info.ino}:${info.size}:${info.mtime?.getTime()}`;
  }));
  return looks.join(" ");
}
