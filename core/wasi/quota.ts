/** What the directories of one task together may take beyond what they held at the start. */

import { ERRNO } from "./abi.ts";
import { fail } from "./fault.ts";

export interface QuotaLimits {
  /** Bytes of file contents and of the targets of links. */
  readonly maxBytes: number;
  /** Names of files, links and directories. */
  readonly maxEntries: number;
}

export const QUOTA_LIMITS: QuotaLimits = { maxBytes: 1024 ** 3, maxEntries: 262_144 };

/** Shared by the volumes of a task. Beyond its limits everything is ENOSPC. */
export class Quota {
  readonly #limits: QuotaLimits;
  #bytes = 0;
  #entries = 0;

  constructor(limits: QuotaLimits = QUOTA_LIMITS) {
    this.#limits = limits;
  }

  /** Counts bytes, negative ones when they are freed. */
  claimBytes(count: number): void {
    if (count > 0 && this.#bytes + count > this.#limits.maxBytes) fail(ERRNO.NOSPC);
    this.#bytes += count;
  }

  /** Counts names, negative ones when they are gone; those that were there at the start make room too. */
  claimEntries(count: number): void {
    if (count > 0 && this.#entries + count > this.#limits.maxEntries) fail(ERRNO.NOSPC);
    this.#entries += count;
  }
}
