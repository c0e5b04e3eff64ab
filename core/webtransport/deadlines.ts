/** One time limit for many short waits, by one timer: a timer of its own for each stream takes longer than the wait. */

export class Deadlines<T> {
  readonly #limitMs: number;
  readonly #onLate: (item: T) => void;
  /** In the order in which they are due. */
  readonly #due = new Map<T, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  /** `onLate` is called for each item that was not deleted `limitMs` after it was added. */
  constructor(limitMs: number, onLate: (item: T) => void) {
    this.#limitMs = limitMs;
    this.#onLate = onLate;
  }

  add(item: T): void {
    if (this.#isStopped) return;
    this.#due.set(item, performance.now() + this.#limitMs);
    this.#timer ??= setTimeout(() => this.#check(), this.#limitMs);
  }

  delete(item: T): void {
    this.#due.delete(item);
  }

  /** Nothing is late any more, nor will be. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due.clear();
  }

  #check(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const [item, dueMs] of this.#due) {
      if (dueMs > now) {
        this.#timer = setTimeout(() => this.#check(), dueMs - now);
        return;
      }
      this.#due.delete(item);
      this.#onLate(item);
    }
  }
}
