/** Tests of patterns for one name. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { isPattern, MatchBudget, NamePattern } from "../../../core/wasi/glob.ts";

function matches(pattern: string, name: string): boolean {
  return new NamePattern(pattern).matches(name, new MatchBudget(100_000));
}

Deno.test("NamePattern matches as shells do", () => {
  const cases: [pattern: string, yes: string[], no: string[]][] = [
    ["*", ["a", "a.b", "é"], [".a"]],
    ["*.txt", ["a.txt", "a.b.txt"], ["txt", ".txt", "a.txt2"]],
    ["a*b*c", ["abc", "aXbYc", "abbcc", "abcbc"], ["ab", "abcd", "bac"]],
    ["a**b", ["ab", "axxb"], ["a"]],
    ["?", ["a", "é", "😀"], ["", "ab", "."]],
    ["[a-cx]", ["a", "b", "c", "x"], ["d", "-", "ab"]],
    ["[!a-c]", ["d", "é"], ["a", "c", ""]],
    ["[^a-c]*", ["dog"], ["cat"]],
    ["[]a]", ["]", "a"], ["b"]],
    ["[!]a]", ["b"], ["]", "a"]],
    ["[a-]", ["a", "-"], ["b"]],
    ["[é-ü]", ["é", "ö"], ["e"]],
    ["[[]1]", ["[1]"], ["1"]],
    ["a[", ["a["], ["a"]],
    ["[]", ["[]"], ["]"]],
    [".*", [".a", ".bashrc"], ["a"]],
    ["\\*", ["\\a", "\\*"], ["*"]],
    ["a.b", ["a.b"], ["aXb"]],
  ];
  for (const [pattern, yes, no] of cases) {
    for (const name of yes) assert.equal(matches(pattern, name), true, `${pattern} ${name}`);
    for (const name of no) assert.equal(matches(pattern, name), false, `${pattern} ${name}`);
  }
});

Deno.test("isPattern() tells patterns from names", () => {
  for (const pattern of ["*", "a?", "[a]", "**"]) assert.equal(isPattern(pattern), true, pattern);
  for (const name of ["", "a", "a.b", "[", "a[", "[]", "]"]) assert.equal(isPattern(name), false, name);
});

Deno.test("NamePattern says the same as a regular expression", () => {
  const part = fc.constantFrom("a", "b", "*", "?", "[ab]", "[!a]");
  const pattern = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(""));
  const name = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 8 }).map((chars) => chars.join(""));
  fc.assert(fc.property(pattern, name, (pattern, name) => {
    const regex = pattern.replaceAll("[!", "[^").replaceAll("*", ".*").replaceAll("?", ".");
    assert.equal(matches(pattern, name), new RegExp(`^${regex}$`).test(name), `${pattern} ${name}`);
  }));
});

Deno.test("NamePattern does not try all ways to fit many stars", () => {
  const pattern = new NamePattern("*a".repeat(60) + "*b");
  const budget = new MatchBudget(255 * 130);
  assert.equal(pattern.matches("a".repeat(255), budget), false);
  assert.throws(() => pattern.matches("a".repeat(255), new MatchBudget(10)), { code: "out_of_range" });
});
