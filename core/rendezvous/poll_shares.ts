/** No address may fill the rendezvous with its polls. */

/** Polls that one address may have waiting unless the operator says otherwise: a large household of proxies. */
export const DEFAULT_POLLS_PER_ADDRESS = 64;

export class PollShares {
  readonly #limit: number;
  readonly #held = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes a share; false when the address has all of its own. */
  take(address: string): boolean {
    const held = this.#held.get(address) ?? 0;
    if (held >= this.#limit) return false;
    this.#held.set(address, held + 1);
    return true;
  }

  /** Gives one back that was taken. */
  give(address: string): void {
    const held = this.#held.get(address)! - 1;
    if (held === 0) this.#held.delete(address);
    else this.#held.set(address, held);
  }
}
