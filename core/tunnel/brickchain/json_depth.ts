/** How deep a JSON text nests, and how much is in it, before anybody parses it. */

const QUOTE = '"';

export interface JsonLimits {
  /** Brackets that are open at once. */
  readonly depth: number;
  /** Brackets, and strings with names among them. */
  readonly parts: number;
}

/** Whether it keeps the limits. Strings are skipped whole; other faults are not looked for. */
export function nestsWithin(json: string, limits: JsonLimits): boolean {
  const structural = /["[\]{}]/g;
  let depth = 0;
  let parts = 0;
  for (let match = structural.exec(json); match !== null; match = structural.exec(json)) {
    const [character] = match;
    if (++parts > limits.parts) return false;
    if (character === QUOTE) {
      const end = endOfString(json, match.index + 1);
      if (end < 0) return true; // the parser will say so
      structural.lastIndex = end + 1;
    } else if (character === "[" || character === "{") {
      if (++depth > limits.depth) return false;
    } else depth--;
  }
  return true;
}

/** Where the quote is that ends a string which begins at `from`; negative without one. */
function endOfString(json: string, from: number): number {
  for (let at = json.indexOf(QUOTE, from); at >= 0; at = json.indexOf(QUOTE, at + 1)) {
    let backslashes = 0;
    while (at - 1 - backslashes >= from && json[at - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return at;
  }
  return -1;
}
