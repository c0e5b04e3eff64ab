/** The memory of messages that have begun to arrive and are not whole yet, on all WebSockets of a server together. */

/** Sixteen of the longest messages at once; nobody else knows of these bytes, and each peer may leave them lying. */
export const MAX_UNFINISHED_BYTES = 1024 * 1024 * 1024;

/** One connection. */
export interface UnfinishedMessage {
  /** Bytes that it holds. */
  readonly unfinishedBytes: number;
  /** Ends it: it held the most when there were too many. To be followed by `remove`, in the same turn. */
  evict(): void;
}

/** Who holds the most goes first, so that no number of hoarders keeps a peer with small messages out. */
export class UnfinishedMessages {
  readonly #maxBytes: number;
  readonly #holders = new Set<UnfinishedMessage>();
  #bytes = 0;

  constructor(maxBytes = MAX_UNFINISHED_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** All of them together. */
  get bytes(): number {
    return this.#bytes;
  }

  add(holder: UnfinishedMessage): void {
    this.#holders.add(holder);
  }

  remove(holder: UnfinishedMessage): void {
    if (this.#holders.delete(holder)) this.#bytes -= holder.unfinishedBytes;
  }

  /** To be called after the bytes of one that was added have changed by so many. */
  changed(byBytes: number): void {
    this.#bytes += byBytes;
    while (this.#bytes > this.#maxBytes) this.#largest().evict();
  }

  #largest(): UnfinishedMessage {
    return [...this.#holders].reduce((most, one) => one.unfinishedBytes > most.unfinishedBytes ? one : most);
  }
}
