/** Nonces of one session: each good for one registration, for a short time. */

import { WasimoffError } from "../errors.ts";
import { MAX_TUNNEL_NONCES, TUNNEL_NONCE_MS } from "../protocol/limits.ts";

/** More than anybody can guess or meet twice. */
const NONCE_BYTES = 32;

export interface TunnelNoncesOptions {
  /** Milliseconds that never go back. */
  readonly now: () => number;
  readonly fillRandom: (bytes: Uint8Array<ArrayBuffer>) => void;
}

export class TunnelNonces {
  readonly #options: TunnelNoncesOptions;
  /** Until when each is good, the oldest first. */
  readonly #nonces = new Map<string, number>();

  constructor(options: TunnelNoncesOptions) {
    this.#options = options;
  }

  /** A new one; beyond MAX_TUNNEL_NONCES the oldest is forgotten. */
  issue(): Uint8Array {
    const nonce = new Uint8Array(NONCE_BYTES);
    this.#options.fillRandom(nonce);
    this.#nonces.set(nonce.toHex(), this.#options.now() + TUNNEL_NONCE_MS);
    if (this.#nonces.size > MAX_TUNNEL_NONCES) this.#nonces.delete(this.#nonces.keys().next().value!);
    return nonce;
  }

  /** Uses one up; throws `permission_denied` for one that is not ours, used, or too old. */
  take(nonce: Uint8Array): void {
    const key = nonce.toHex();
    const until = this.#nonces.get(key);
    this.#nonces.delete(key);
    if (until !== undefined && this.#options.now() < until) return;
    throw new WasimoffError(
      "permission_denied",
      "nonce of the tunnel is unknown, used or too old: ask for a new one",
    );
  }
}
