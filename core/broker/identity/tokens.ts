/** Tokens that let callers in, known by their digests only. */

import { equalInConstantTime } from "../../constant_time.ts";
import { WasimoffError } from "../../errors.ts";
import type { StartHash } from "../../storage/file_store.ts";

/** Longer than any token we make or anybody needs; checked before hashing what a stranger sends. */
const MAX_TOKEN_CHARS = 1024;

export class Tokens {
  readonly #startHash: StartHash;
  readonly #digests: readonly Uint8Array[];

  constructor(tokens: readonly string[], startHash: StartHash) {
    this.#startHash = startHash;
    this.#digests = tokens.map((token) => Uint8Array.fromHex(this.#digest(token)));
  }

  /**
   * Reads the content of a token file: one token a line; empty lines and those that begin with `#` are comments.
   * Throws `invalid_argument`, which names the line and never the token.
   */
  static parse(text: string, startHash: StartHash): Tokens {
    const tokens: string[] = [];
    for (const [i, line] of text.split("\n").entries()) {
      const token = line.trim();
      if (token === "" || token.startsWith("#")) continue;
      if (!/^[\x21-\x7e]+$/.test(token) || token.length > MAX_TOKEN_CHARS) {
        const message = `line ${
          i + 1
        } of the token file is no token: use up to ${MAX_TOKEN_CHARS} letters and digits`;
        throw new WasimoffError("invalid_argument", message);
      }
      tokens.push(token);
    }
    if (tokens.length === 0) {
      throw new WasimoffError("invalid_argument", "token file holds no token: add one a line");
    }
    return new Tokens(tokens, startHash);
  }

  get size(): number {
    return this.#digests.length;
  }

  /** The identity behind a token, the hex SHA-256 of it; null when the token is unknown. */
  identify(token: string): string | null {
    if (token.length > MAX_TOKEN_CHARS) return null;
    const hex = this.#digest(token);
    const digest = Uint8Array.fromHex(hex);
    let known = false;
    // All are compared, so that the time tells nothing about which one matched.
    for (const candidate of this.#digests) known = equalInConstantTime(digest, candidate) || known;
    return known ? hex : null;
  }

  #digest(token: string): string {
    const hash = this.#startHash();
    hash.update(new TextEncoder().encode(token));
    return hash.digest();
  }
}

/** Fills an array with random bytes, as `crypto.getRandomValues` does. */
export type FillRandom = (bytes: Uint8Array<ArrayBuffer>) => void;

/** Bytes in a token: 160 bits, more than anybody can guess. */
const TOKEN_BYTES = 20;

/** A new token: 40 hex digits. */
export function generateToken(fillRandom: FillRandom): string {
  const bytes = new Uint8Array(TOKEN_BYTES);
  fillRandom(bytes);
  return bytes.toHex();
}
