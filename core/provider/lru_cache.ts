/** Values kept in memory by how recently they were used, bounded by their number and by their size. */

export interface LruLimits {
  readonly maxEntries: number;
  /** Of all values together, as their owner weighs them. */
  readonly maxBytes: number;
}

/** Forgets what was unused for longest. A value larger than the whole cache is not kept. */
export class LruCache<V> {
  readonly #limits: LruLimits;
  /** In order of use, the most recent last. */
  readonly #entries = new Map<string, { readonly value: V; readonly bytes: number }>();
  #bytes = 0;

  constructor(limits: LruLimits) {
    this.#limits = limits;
  }

  /** Sum of the sizes given to `set`. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The value, which counts as a use of it. */
  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: V, bytes: number): void {
    this.#forget(key);
    if (bytes > this.#limits.maxBytes) return;
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#limits.maxEntries && this.#bytes <= this.#limits.maxBytes) break;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}
