/** What the inodes of one file system share: numbers, and the limits that keep a guest from eating the host. */

import { ERRNO } from "./abi.ts";
import { fail } from "./fault.ts";

export interface VolumeLimits {
  /** Bytes a guest may write beyond what its directory held at the start. */
  readonly maxBytes: number;
  /** Names of files, links and directories. */
  readonly maxEntries: number;
  /** Every change is EROFS. */
  readonly readOnly: boolean;
}

/** Entries take some 200 bytes of heap each, so at most about 50 MB. */
export const VOLUME_LIMITS: VolumeLimits = { maxBytes: 1024 ** 3, maxEntries: 262_144, readOnly: false };

export class Volume {
  readonly readOnly: boolean;
  readonly #maxBytes: number;
  readonly #maxEntries: number;
  #bytes = 0;
  #entries: number;
  #nextIno: bigint;
  /** Copies of inodes with several names, so that a forked tree keeps its hard links. */
  readonly #forks = new Map<object, object>();

  /** A volume of its own, or one for a copy of everything in `origin`. */
  constructor({ maxBytes, maxEntries, readOnly }: VolumeLimits = VOLUME_LIMITS, origin?: Volume) {
    this.#maxBytes = maxBytes;
    this.#maxEntries = maxEntries;
    this.readOnly = readOnly;
    this.#entries = origin === undefined ? 0 : origin.#entries;
    this.#nextIno = origin === undefined ? 1n : origin.#nextIno;
  }

  nextIno(): bigint {
    return this.#nextIno++;
  }

  /** Counts bytes of file contents, negative ones when they are freed; beyond the limit it is ENOSPC. */
  claimBytes(count: number): void {
    if (this.#bytes + count > this.#maxBytes) fail(ERRNO.NOSPC);
    this.#bytes += count;
  }

  /** Counts a new directory entry; beyond the limit it is ENOSPC. */
  claimEntry(): void {
    if (this.#entries >= this.#maxEntries) fail(ERRNO.NOSPC);
    this.#entries += 1;
  }

  releaseEntry(): void {
    this.#entries -= 1;
  }

  /** The one copy of `original` in this volume. */
  forkOnce<T extends object>(original: T, fork: () => T): T {
    const known = this.#forks.get(original);
    if (known !== undefined) return known as T;
    const made = fork();
    this.#forks.set(original, made);
    return made;
  }
}
