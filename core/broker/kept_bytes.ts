/** A bound on what all tasks of a broker keep beyond their own small shares. */

/** Streamed stdin of all tasks together that is kept beyond the first part of each. */
export const MAX_KEPT_BYTES = 128 * 1024 * 1024;

export class KeptBytes {
  #left: number;

  constructor(maxBytes: number = MAX_KEPT_BYTES) {
    this.#left = maxBytes;
  }

  /** Reserves so many bytes; false, and nothing is reserved, when there are not so many left. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#left += bytes;
  }
}
