/** Finds the name that somebody who mistyped probably meant. */

/** Names further away than this many edits are no help. */
const MAX_EDITS = 2;

/** The candidate with the fewest edits from `name`, or null when none is near. */
export function nearest(name: string, candidates: Iterable<string>): string | null {
  let best: string | null = null;
  let bestEdits = Math.min(MAX_EDITS, Math.floor(name.length / 2)) + 1;
  for (const candidate of candidates) {
    const edits = editDistance(name, candidate);
    if (edits < bestEdits) [best, bestEdits] = [candidate, edits];
  }
  return best;
}

/** The ending of an error message: a question when there is a near name, otherwise nothing. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const meant = nearest(name, candidates);
  return meant === null ? "" : `: did you mean "${meant}"?`;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let edits = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1));
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        edits = Math.min(edits, beforeLast[column - 2]! + 1);
      }
      current.push(edits);
    }
    [beforeLast, last] = [last, current];
  }
  return last[b.length]!;
}
