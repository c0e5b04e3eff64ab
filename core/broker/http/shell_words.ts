/** Splits a line into words as a POSIX shell does, without expanding anything (POSIX.1-2017, Shell 2.2). */

import { WasimoffError } from "../../errors.ts";

/** What a backslash takes literally inside double quotes. */
const ESCAPED_IN_QUOTES = '"\\$`\n';

/** Throws `invalid_argument` for a quote that is not closed and for a backslash at the end. */
export function splitShellWords(line: string): string[] {
  const words: string[] = [];
  /** null between words: `""` is a word, nothing is none. */
  let word: string | null = null;
  let quote: "'" | '"' | null = null;
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (char === quote) quote = null;
    else if (quote === "'") word += char;
    else if (char === "\\") {
      const next = line[++i];
      if (next === undefined) throw broken("it ends with a backslash");
      const kept = quote === '"' && !ESCAPED_IN_QUOTES.includes(next) ? "\\" : "";
      if (next === "\n") continue; // a line that goes on
      word = (word ?? "") + kept + next;
    } else if (quote === '"') word += char;
    else if (char === "'" || char === '"') {
      quote = char;
      word ??= "";
    } else if (/[ \t\r\n]/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? "") + char;
  }
  if (quote !== null) throw broken(`a ${quote} is not closed`);
  if (word !== null) words.push(word);
  return words;
}

function broken(why: string): WasimoffError {
  return new WasimoffError("invalid_argument", `cannot split the arguments: ${why}`);
}
