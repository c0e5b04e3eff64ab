/** Book-keeping of a file store: which files there are, what they weigh, and who has to go first. */

import { WasimoffError } from "../errors.ts";
import type { FileRef, StoredFile } from "./file_store.ts";

/**
 * Files in the order of their last use, with pins and one bound on the total size. Bytes count from the moment
 * they are reserved, so that unfinished uploads cannot exceed the bound either.
 */
export class FileIndex {
  readonly #maxTotalBytes: number;
  /** Least recently used first: a use moves an entry to the end. */
  readonly #files = new Map<FileRef, StoredFile>();
  readonly #pins = new Map<FileRef, number>();
  #usedBytes = 0;

  constructor(maxTotalBytes: number) {
    this.#maxTotalBytes = maxTotalBytes;
  }

  /** Bytes of all files and of all reservations. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  get(ref: FileRef): StoredFile | null {
    return this.#files.get(ref) ?? null;
  }

  /** The file, now the most recently used one. */
  use(ref: FileRef): StoredFile | null {
    const file = this.#files.get(ref);
    if (file === undefined) return null;
    this.#files.delete(ref);
    this.#files.set(ref, file);
    return file;
  }

  /** Every file, most recently used first. */
  list(): StoredFile[] {
    return [...this.#files.values()].reverse();
  }

  /**
   * Counts `bytes` that are about to be kept. Returns the files that had to leave the index for them, whose
   * content the caller removes; throws `resource_exhausted`, and changes nothing, when too little can go.
   */
  reserve(bytes: number): StoredFile[] {
    const victims: StoredFile[] = [];
    let excess = this.#usedBytes + bytes - this.#maxTotalBytes;
    for (const file of this.#files.values()) {
      if (excess <= 0) break;
      if (this.#pins.has(file.ref)) continue;
      victims.push(file);
      excess -= file.size;
    }
    if (excess > 0) {
      throw new WasimoffError(
        "resource_exhausted",
        `store is full: all of its ${this.#maxTotalBytes} bytes are in use, try again later or raise its limit`,
      );
    }
    for (const file of victims) this.remove(file.ref);
    this.#usedBytes += bytes;
    return victims;
  }

  /** Gives back what was reserved and is not kept. */
  release(bytes: number): void {
    this.#usedBytes -= bytes;
  }

  /** Enters a file whose bytes were reserved before; one that is there already gives them back. */
  add(file: StoredFile): void {
    if (this.#files.has(file.ref)) {
      this.release(file.size);
      this.use(file.ref);
    } else this.#files.set(file.ref, file);
  }

  /** Enters a file found at start-up, even when that exceeds the bound: the next reservation evicts. */
  restore(file: StoredFile): void {
    this.#usedBytes += file.size;
    this.#files.set(file.ref, file);
  }

  /** Forgets a file, pinned or not; false when there is none. */
  remove(ref: FileRef): boolean {
    const file = this.#files.get(ref);
    if (file === undefined) return false;
    this.#files.delete(ref);
    this.#usedBytes -= file.size;
    return true;
  }

  /** Keeps a ref, there or still to come, from eviction until the returned function is called. */
  pin(ref: FileRef): () => void {
    this.#pins.set(ref, (this.#pins.get(ref) ?? 0) + 1);
    let pinned = true;
    return () => {
      if (!pinned) return;
      pinned = false;
      const left = this.#pins.get(ref)! - 1;
      if (left === 0) this.#pins.delete(ref);
      else this.#pins.set(ref, left);
    };
  }
}
