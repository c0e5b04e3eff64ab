/** Waiting proxies, those with the fewest clients first. */

/** Proxies say their clients in steps of this. */
const STEP = 8;
/** Above so many clients it makes no difference any more. */
const MAX_CLIENTS = 1_024;

interface Waiting {
  readonly clients: number;
}

/** Constant time for each operation; who came first among equals goes first. */
export class ProxyQueue<T extends Waiting> {
  readonly #buckets = Array.from({ length: MAX_CLIENTS / STEP + 1 }, () => new Set<T>());
  /** No bucket before this one holds anything. */
  #lowest = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(proxy: T): void {
    const index = bucketOf(proxy);
    this.#buckets[index]!.add(proxy);
    this.#lowest = Math.min(this.#lowest, index);
    this.#size++;
  }

  delete(proxy: T): void {
    if (this.#buckets[bucketOf(proxy)]!.delete(proxy)) this.#size--;
  }

  /** Takes the next one out; undefined when nobody waits. */
  take(): T | undefined {
    if (this.#size === 0) return undefined;
    while (this.#buckets[this.#lowest]!.size === 0) this.#lowest++;
    const [proxy] = this.#buckets[this.#lowest]!;
    this.delete(proxy!);
    return proxy;
  }
}

function bucketOf({ clients }: Waiting): number {
  return Math.floor(Math.min(Math.max(clients, 0), MAX_CLIENTS) / STEP);
}
