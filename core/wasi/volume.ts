/** What the inodes of one file system share: numbers, and the limits that keep a guest from eating the host. */

import { ERRNO } from "./abi.ts";
import { fail } from "./fault.ts";

/** Bytes a guest may write beyond what its directory held at the start. */
export const VOLUME_MAX_BYTES = 1024 ** 3;
/** Directory entries of one volume: some 200 bytes of heap each, so at most about 50 MB. */
export const VOLUME_MAX_ENTRIES = 262_144;

export class Volume {
  #bytes = 0;
  #entries: number;
  #nextIno: bigint;
  /** Copies of inodes with several names, so that a forked tree keeps its hard links. */
  readonly #forks = new Map<object, object>();

  /** A volume of its own, or one for a copy of everything in `origin`. */
  constructor(origin?: Volume) {
    this.#entries = origin === undefined ? 0 : origin.#entries;
    this.#nextIno = origin === undefined ? 1n : origin.#nextIno;
  }

  nextIno(): bigint {
    return this.#nextIno++;
  }

  /** Counts bytes of file contents, negative ones when they are freed; beyond the limit it is ENOSPC. */
  claimBytes(count: number): void {
    if (this.#bytes + count > VOLUME_MAX_BYTES) fail(ERRNO.NOSPC);
    this.#bytes += count;
  }

  /** Counts a new directory entry; beyond the limit it is ENOSPC. */
  claimEntry(): void {
    if (this.#entries >= VOLUME_MAX_ENTRIES) fail(ERRNO.NOSPC);
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
