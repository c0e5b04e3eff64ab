/** One name against one part of a pattern, as shells do it: `*`, `?`, `[a-z]`, `[!a-z]`. */

import { WasimoffError } from "../errors.ts";

/** Bounds the work of all matching together. */
export class MatchBudget {
  #steps: number;

  constructor(steps: number) {
    this.#steps = steps;
  }

  /** Throws `out_of_range` when there was not so much left. */
  spend(steps: number): void {
    this.#steps -= steps;
    if (this.#steps < 0) {
      throw new WasimoffError(
        "out_of_range",
        "pack artifacts: finding them takes too long: name them plainer",
      );
    }
  }
}

type Token =
  | { kind: "star" }
  | { kind: "any" }
  | { kind: "one"; char: string }
  | { kind: "set"; negated: boolean; ranges: readonly (readonly [low: string, high: string])[] };

/** Whether a part of a path is a pattern and not only a name. */
export function isPattern(part: string): boolean {
  return parse([...part]).some(({ kind }) => kind !== "one");
}

export class NamePattern {
  readonly #tokens: readonly Token[];
  /** Names that start with a dot are matched only by patterns that do. */
  readonly #matchesHidden: boolean;

  constructor(pattern: string) {
    this.#tokens = parse([...pattern]);
    this.#matchesHidden = pattern.startsWith(".");
  }

  /**
   * Whether all of `name` matches. Takes at most (length of the name) x (length of the pattern) steps: only the
   * last star has to be tried again, since what came before it fits already.
   */
  matches(name: string, budget: MatchBudget): boolean {
    if (name.startsWith(".") && !this.#matchesHidden) return false;
    const chars = [...name];
    const tokens = this.#tokens;
    let [at, token, star, starAt, steps] = [0, 0, -1, 0, 1];
    while (at < chars.length) {
      const next = tokens[token];
      steps += next?.kind === "set" ? 1 + next.ranges.length : 1;
      if (next?.kind === "star") {
        star = token++;
        starAt = at;
      } else if (next !== undefined && fits(next, chars[at]!)) {
        token += 1;
        at += 1;
      } else if (star >= 0) {
        token = star + 1;
        at = ++starAt;
      } else {
        break;
      }
    }
    while (tokens[token]?.kind === "star") token += 1;
    budget.spend(steps);
    return at === chars.length && token === tokens.length;
  }
}

function fits(token: Token, char: string): boolean {
  switch (token.kind) {
    case "one":
      return token.char === char;
    case "set": {
      const code = char.codePointAt(0)!;
      const inside = token.ranges.some(([low, high]) =>
        low.codePointAt(0)! <= code && code <= high.codePointAt(0)!
      );
      return inside !== token.negated;
    }
    default:
      return token.kind === "any";
  }
}

function parse(chars: readonly string[]): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at]!;
    const end = char === "[" ? endOfSet(chars, at) : -1;
    if (end > 0) {
      tokens.push(parseSet(chars.slice(at + 1, end)));
      at = end;
    } else if (char === "*") {
      if (tokens.at(-1)?.kind !== "star") tokens.push({ kind: "star" });
    } else {
      tokens.push(char === "?" ? { kind: "any" } : { kind: "one", char });
    }
  }
  return tokens;
}

/** Index of the `]` that ends a set, which may hold one as its first character; -1 for none: then `[` is a letter. */
function endOfSet(chars: readonly string[], start: number): number {
  const first = chars[start + 1] === "!" || chars[start + 1] === "^" ? start + 2 : start + 1;
  return chars.indexOf("]", first + 1);
}

function parseSet(chars: readonly string[]): Token {
  const negated = chars[0] === "!" || chars[0] === "^";
  const ranges: [string, string][] = [];
  for (let at = negated ? 1 : 0; at < chars.length; at++) {
    const isRange = chars[at + 1] === "-" && at + 2 < chars.length;
    ranges.push([chars[at]!, chars[isRange ? at + 2 : at]!]);
    if (isRange) at += 2;
  }
  return { kind: "set", negated, ranges };
}
