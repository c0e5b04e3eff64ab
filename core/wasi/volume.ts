/** What the inodes of one directory tree share: their numbers, and the quota of the task. */

import { Quota } from "./quota.ts";

/**
 * Bytes of a link's target for which it counts as one more name. Targets are texts on the heap, which must stay
 * bounded by the number of names.
 */
const TARGET_BYTES_PER_ENTRY = 256;

export interface VolumeOptions {
  /** Shared by all volumes of a task; one of its own by default. */
  readonly quota?: Quota;
  /** Every change is EROFS. */
  readonly readOnly?: boolean;
}

export class Volume {
  readonly readOnly: boolean;
  readonly #quota: Quota;
  #nextIno: bigint;
  /** Numbers of files that may be executed: nothing a guest can see, but artifacts keep it. */
  readonly #executables: Set<bigint>;
  /** Copies of inodes with several names, so that a forked tree keeps its hard links. */
  readonly #forks = new Map<object, object>();

  /** A volume of its own, or one for a copy of everything in `origin`. */
  constructor({ quota = new Quota(), readOnly = false }: VolumeOptions = {}, origin?: Volume) {
    this.#quota = quota;
    this.readOnly = readOnly;
    this.#nextIno = origin === undefined ? 1n : origin.#nextIno;
    this.#executables = origin === undefined ? new Set() : origin.#executables;
  }

  nextIno(): bigint {
    return this.#nextIno++;
  }

  /** Counts bytes of file contents, negative ones when they are freed; beyond the limit it is ENOSPC. */
  claimBytes(count: number): void {
    this.#quota.claimBytes(count);
  }

  /** Counts a new directory entry; beyond the limit it is ENOSPC. */
  claimEntry(): void {
    this.#quota.claimEntries(1);
  }

  releaseEntry(): void {
    this.#quota.claimEntries(-1);
  }

  /** Counts the target of a new link; beyond the limit it is ENOSPC. */
  claimTarget(bytes: number): void {
    const entries = Math.floor(bytes / TARGET_BYTES_PER_ENTRY);
    this.#quota.claimEntries(entries);
    try {
      this.#quota.claimBytes(bytes);
    } catch (error) {
      this.#quota.claimEntries(-entries);
      throw error;
    }
  }

  releaseTarget(bytes: number): void {
    this.#quota.claimEntries(-Math.floor(bytes / TARGET_BYTES_PER_ENTRY));
    this.#quota.claimBytes(-bytes);
  }

  /** Notes that a file may be executed; copies of the volume know it too. */
  markExecutable(ino: bigint): void {
    this.#executables.add(ino);
  }

  isExecutable(ino: bigint): boolean {
    return this.#executables.has(ino);
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
