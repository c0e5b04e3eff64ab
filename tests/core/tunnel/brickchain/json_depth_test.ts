import { strictEqual } from "node:assert/strict";
import { nestsWithin } from "../../../../core/tunnel/brickchain/json_depth.ts";

const cases: readonly (readonly [string, boolean])[] = [
  ['{"a":[1,2]}', true],
  ["[[[1]]]", false],
  ['"[[[["', true],
  ['["\\"[[[["]', true],
  ['["\\\\",[[', false],
  ["[][][]", true],
  ['["a","b","c","d"]', true],
  ['["a","b","c","d","e"]', false],
  ["[".repeat(1_000_000), false],
  ['"', true],
];

for (const [json, within] of cases) {
  Deno.test(`${json.slice(0, 20)} is ${within ? "within" : "beyond"} two levels and six parts`, () => {
    strictEqual(nestsWithin(json, { depth: 2, parts: 6 }), within);
  });
}
