import { deepStrictEqual, throws } from "node:assert/strict";
import { splitShellWords } from "../../../../core/broker/http/shell_words.ts";

const TABLE: readonly (readonly [line: string, words: readonly string[]])[] = [
  ["", []],
  ["  \t ", []],
  ["a b  c", ["a", "b", "c"]],
  ["'a b' \"c d\"", ["a b", "c d"]],
  ["a'b'\"c\"d", ["abcd"]],
  ["'' \"\" x", ["", "", "x"]],
  ["a\\ b \\' \\\\", ["a b", "'", "\\"]],
  ['\'\\n $x `y`\' "\\n \\$x \\"q\\" \\\\"', ["\\n $x `y`", '\\n $x "q" \\']],
  ["$HOME *.c #no ~ a;b|c", ["$HOME", "*.c", "#no", "~", "a;b|c"]],
  ['a\\\nb "c\\\nd"', ["ab", "cd"]],
  ["\\\n", []],
  ["ü '\u{1f600}'", ["ü", "\u{1f600}"]],
  ["--x='y z'", ["--x=y z"]],
];

Deno.test("splitShellWords() splits as a shell does", () => {
  for (const [line, words] of TABLE) deepStrictEqual(splitShellWords(line), words, JSON.stringify(line));
});

Deno.test("splitShellWords() refuses quotes that stay open and a backslash at the end", () => {
  for (const line of ["'", '"', "a 'b", '"a\\"', "a\\", "'a\\"]) {
    throws(() => splitShellWords(line), { code: "invalid_argument" }, line);
  }
});
