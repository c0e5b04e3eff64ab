/** A set that can be sampled fairly and at a fixed cost, however large it is. */

/** What becomes of a probed member: taken into the sample, passed over, or removed from the set. */
export type Verdict = "take" | "skip" | "drop";

export interface SampleLimits {
  /** Members taken at most. */
  readonly take: number;
  /** Members passed over at most. */
  readonly skip: number;
}

/** Members in an array without holes; each sample begins where the last one stopped. */
export class RotatingSet<T> {
  readonly #members: T[] = [];
  readonly #positions = new Map<T, number>();
  #cursor = 0;

  get size(): number {
    return this.#members.length;
  }

  add(member: T): void {
    if (this.#positions.has(member)) return;
    this.#positions.set(member, this.#members.length);
    this.#members.push(member);
  }

  delete(member: T): void {
    const position = this.#positions.get(member);
    if (position === undefined) return;
    this.#positions.delete(member);
    const last = this.#members.pop()!;
    if (last === member) return;
    this.#members[position] = last;
    this.#positions.set(last, position);
  }

  /** Judges members in turn, each at most once; dropped ones were paid for when they were added. */
  sample(limits: SampleLimits, judge: (member: T) => Verdict): T[] {
    const taken: T[] = [];
    const dropped: T[] = [];
    let skipped = 0;
    let left = this.#members.length;
    while (left-- > 0 && taken.length < limits.take && skipped <= limits.skip) {
      if (this.#cursor >= this.#members.length) this.#cursor = 0;
      const member = this.#members[this.#cursor++]!;
      const verdict = judge(member);
      if (verdict === "take") taken.push(member);
      else if (verdict === "drop") dropped.push(member);
      else skipped++;
    }
    for (const member of dropped) this.delete(member);
    return taken;
  }
}
