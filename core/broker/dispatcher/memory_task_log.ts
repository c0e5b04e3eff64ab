/** A task log that remembers the last finished tasks and nothing else. */

import type { FinishedEntry, TaskLog, TaskLogEntry } from "./task_log.ts";

/** Enough to look back a few seconds at full speed, about half a megabyte. */
export const MAX_FINISHED = 1_000;

/** A ring of the last `maxFinished` finished tasks. */
export class MemoryTaskLog implements TaskLog {
  readonly #ring: FinishedEntry[] = [];
  readonly #maxFinished: number;
  #next = 0;

  constructor(maxFinished = MAX_FINISHED) {
    this.#maxFinished = maxFinished;
  }

  append(entry: TaskLogEntry): void {
    if (entry.kind !== "finished") return;
    this.#ring[this.#next] = entry;
    this.#next = (this.#next + 1) % this.#maxFinished;
  }

  /** The remembered tasks, latest first. */
  finished(): FinishedEntry[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)].reverse();
  }
}
