/** Which web pages may talk to us (`--allowed-origins P,...`, wasimoff-v1 3.2). */

import { WasimoffError } from "../../errors.ts";
import { originHost } from "./loopback_rule.ts";

/** Longer Origins match no pattern: a host name has at most 253 characters. */
const MAX_ORIGIN_CHARS = 300;

/**
 * Patterns for the `host[:port]` of an Origin, as Go's `filepath.Match` has them: `*` and `?` stand for
 * characters other than `/`, `[a-z]` and `[^a-z]` for one character, `\` takes the next one literally.
 */
export class AllowedOrigins {
  readonly #patterns: readonly RegExp[];

  /** Throws `invalid_argument` for a pattern that is none. */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map(compile);
  }

  /** Whether the page of `origin` may use us: no page at all, our own, or one that matches. */
  allows(origin: string | null, host: string | null): boolean {
    if (origin === null) return true;
    if (origin.length > MAX_ORIGIN_CHARS) return false;
    const from = originHost(origin);
    if (from === null) return false;
    return from === host?.toLowerCase() || this.#patterns.some((pattern) => pattern.test(from));
  }
}

/** One piece of a pattern: a class, an escaped character, or any other character. */
const PIECE = /\[(?!\^?\])\^?(?:\\.|[^\]\\])+\]|\\.|[^\\[]/gsu;

function compile(pattern: string): RegExp {
  const pieces = pattern.match(PIECE) ?? [];
  try {
    if (pattern === "" || pieces.join("") !== pattern) throw new SyntaxError("unfinished class or escape");
    return new RegExp(`^${pieces.map(translate).join("")}$`, "u");
  } catch (cause) {
    const message =
      `allowed origin "${pattern}" is no pattern: write it like "example.org" or "*.example.org:8080"`;
    throw new WasimoffError("invalid_argument", message, { cause });
  }
}

function translate(piece: string): string {
  if (piece === "*") return "[^/]*";
  if (piece === "?") return "[^/]";
  if (!piece.startsWith("[")) return RegExp.escape(piece.replace(/^\\/s, ""));
  const negated = piece.startsWith("[^");
  const members = piece.slice(negated ? 2 : 1, -1).replace(/\\(.)|([^\w-])/gsu, (_, escaped, plain) => {
    const character: string = escaped ?? plain;
    return `\\u{${character.codePointAt(0)!.toString(16)}}`;
  });
  return `[${negated ? "^" : ""}${members}]`;
}
