/** Tests of suggestions for mistyped names. */

import assert from "node:assert/strict";
import { didYouMean, editDistance, nearest } from "../../commands/suggest.ts";

Deno.test("editDistance() counts insertions, deletions, replacements and swaps", () => {
  const cases: [string, string, number][] = [
    ["open", "open", 0],
    ["opne", "open", 1],
    ["ope", "open", 1],
    ["opens", "open", 1],
    ["oped", "open", 1],
    ["", "open", 4],
    ["token", "broker", 3],
  ];
  for (const [a, b, edits] of cases) {
    assert.equal(editDistance(a, b), edits, `${a} ${b}`);
    assert.equal(editDistance(b, a), edits, `${b} ${a}`);
  }
});

Deno.test("nearest() names only what is near", () => {
  const commands = ["broker", "provider", "submit", "run"];
  assert.equal(nearest("brokre", commands), "broker");
  assert.equal(nearest("sumbit", commands), "submit");
  assert.equal(nearest("rum", commands), "run");
  assert.equal(nearest("x", commands), null);
  assert.equal(nearest("tunnel", commands), null);
});

Deno.test("didYouMean() is empty without a near name", () => {
  assert.equal(didYouMean("provder", ["provider"]), ': did you mean "provider"?');
  assert.equal(didYouMean("zzz", ["provider"]), "");
});
