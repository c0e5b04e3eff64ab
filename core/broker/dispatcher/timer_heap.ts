/** Due times by binary heap; an entry is its own handle, so that disarming never searches. */

/** What an entry carries for the heap; `heapIndex` is -1 while it is not armed. */
export interface HeapEntry {
  dueMs: number;
  heapIndex: number;
}

/** The entry that is due first is at hand; arming and disarming cost the logarithm of the armed ones. */
export class TimerHeap<T extends HeapEntry> {
  readonly #entries: T[] = [];

  get size(): number {
    return this.#entries.length;
  }

  first(): T | null {
    return this.#entries[0] ?? null;
  }

  /** Arms or moves an entry; an infinite time disarms it. */
  arm(entry: T, dueMs: number): void {
    this.disarm(entry);
    entry.dueMs = dueMs;
    if (dueMs === Infinity) return;
    this.#entries.push(entry);
    this.#up(entry, this.#entries.length - 1);
  }

  disarm(entry: T): void {
    const index = entry.heapIndex;
    if (index < 0) return;
    entry.heapIndex = -1;
    const last = this.#entries.pop()!;
    if (last === entry) return;
    this.#up(last, index);
    if (last.heapIndex === index) this.#down(last, index);
  }

  #up(entry: T, from: number): void {
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#entries[parentIndex]!;
      if (parent.dueMs <= entry.dueMs) break;
      this.#put(parent, index);
      index = parentIndex;
    }
    this.#put(entry, index);
  }

  #down(entry: T, from: number): void {
    let index = from;
    for (;;) {
      const leftIndex = 2 * index + 1;
      const left = this.#entries[leftIndex];
      if (left === undefined) break;
      const right = this.#entries[leftIndex + 1];
      const child = right !== undefined && right.dueMs < left.dueMs ? right : left;
      if (entry.dueMs <= child.dueMs) break;
      const childIndex = child.heapIndex;
      this.#put(child, index);
      index = childIndex;
    }
    this.#put(entry, index);
  }

  #put(entry: T, index: number): void {
    this.#entries[index] = entry;
    entry.heapIndex = index;
  }
}
