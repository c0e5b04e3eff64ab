/** How many of something each group of addresses has. */

export class GroupCount {
  readonly #max: number;
  readonly #counts = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Counts one more of a group, null for who has no bound. Gives what ends the counting, however often it is called, or null
   * for one too many.
   */
  enter(group: string | null): (() => void) | null {
    if (group === null) return () => {};
    const count = (this.#counts.get(group) ?? 0) + 1;
    if (count > this.#max) return null;
    this.#counts.set(group, count);
    let inside = true;
    return () => {
      if (inside) this.#leave(group);
      inside = false;
    };
  }

  #leave(group: string): void {
    const left = this.#counts.get(group)! - 1;
    if (left === 0) this.#counts.delete(group);
    else this.#counts.set(group, left);
  }
}
