/** What must survive a restart of a broker with ACME: the account's key, and the certificate with its key. */

import { inDirectory } from "./directory_errors.ts";
import type { Credentials } from "./http_server.ts";

/** A directory that only its owner may read; each file is replaced as a whole. */
export class AcmeCache {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Makes the directory where it is missing; rejects with `failed_precondition` when it cannot be used. */
  static async open(directory: string): Promise<AcmeCache> {
    await inDirectory(directory, () => Deno.mkdir(directory, { recursive: true, mode: 0o700 }));
    return new AcmeCache(directory);
  }

  /** PEM; null when there is none. */
  accountKey(): Promise<string | null> {
    return this.#read("account-key");
  }

  keepAccountKey(pem: string): Promise<void> {
    return this.#replace("account-key", pem);
  }

  /** Key and chain of the certificate whose first name this is; null when there is none. */
  async certificate(name: string): Promise<Credentials | null> {
    const text = await this.#read(name);
    // One file, so that a key never meets the certificate of another.
    const [, key, cert] =
      /^(-----BEGIN[^-]* PRIVATE KEY-----[^-]+-----END[^-]*-----\n)([^]+)$/.exec(text ?? "") ?? [];
    return key === undefined || cert === undefined ? null : { key, cert };
  }

  keepCertificate(name: string, { key, cert }: Credentials): Promise<void> {
    return this.#replace(name, `${key.trimEnd()}\n${cert}`);
  }

  #read(name: string): Promise<string | null> {
    return inDirectory(this.#directory, async () => {
      try {
        return await Deno.readTextFile(`${this.#directory}/${name}.pem`);
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return null;
        throw error;
      }
    });
  }

  #replace(name: string, text: string): Promise<void> {
    return inDirectory(this.#directory, async () => {
      const path = `${this.#directory}/${name}.pem`;
      await Deno.writeTextFile(`${path}.new`, text, { mode: 0o600 });
      await Deno.rename(`${path}.new`, path);
    });
  }
}
