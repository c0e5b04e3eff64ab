/** Mandate tokens that were used: whoever overhears one gets nothing for it. */

/** Tokens that are remembered until they expire; the one that was used first is forgotten first. */
export const MAX_USED_TOKENS = 50_000;

interface Use {
  readonly owner: object;
  readonly expiresAt: number;
}

export class BrickchainReplays {
  /** In the order of their use. */
  readonly #uses = new Map<string, Use>();

  /**
   * Whether `owner`, a connection, may use the token of this nonce: nobody else has yet. Both times are in milliseconds
   * since 1970. Existing clients make a new token for each connection.
   */
  claim(nonce: string, { owner, expiresAt }: Use, now: number): boolean {
    const use = this.#uses.get(nonce);
    if (use !== undefined) return use.owner === owner;
    for (const [oldest, { expiresAt }] of this.#uses) {
      if (now <= expiresAt && this.#uses.size < MAX_USED_TOKENS) break;
      this.#uses.delete(oldest);
    }
    this.#uses.set(nonce, { owner, expiresAt });
    return true;
  }
}
