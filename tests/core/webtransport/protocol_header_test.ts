/** Lists of strings in header fields. */

import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { array, assert as check, property, string } from "fast-check";
import {
  chooseProtocol,
  formatProtocols,
  parseProtocols,
} from "../../../core/webtransport/protocol_header.ts";

const LISTS: readonly [field: string, protocols: readonly string[]][] = [
  ['"a"', ["a"]],
  ['"wasimoff.v1", "b"', ["wasimoff.v1", "b"]],
  ['  "a"  ,\t"b"  ', ["a", "b"]],
  ['"a,b", "c\\"d\\\\"', ["a,b", 'c"d\\']],
  ['"a";q=1;x="y;,z", "b";w', ["a", "b"]],
  ["", []],
  ["a, b", []],
  ['"a" "b"', []],
  ['"a",', []],
  ['"a', []],
  ['"é"', []],
  ['"a\\b"', []],
  ['("a" "b")', []],
  [Array(65).fill('"a"').join(","), []],
];

for (const [field, protocols] of LISTS) {
  Deno.test(`parseProtocols() finds ${protocols.length} in ${field.slice(0, 40)}`, () => {
    deepStrictEqual(parseProtocols(field), protocols);
  });
}

Deno.test("any list of printable names comes back", () => {
  const name = string({ minLength: 1, unit: "grapheme-ascii" });
  check(property(array(name, { minLength: 1, maxLength: 64 }), (names) => {
    deepStrictEqual(parseProtocols(formatProtocols(names)), names);
  }));
});

Deno.test("parseProtocols() takes any text in linear time", () => {
  check(property(string(), (text) => void parseProtocols(text)));
  const start = performance.now();
  for (const text of ['"a";' + " ".repeat(16_000), '"a";x="' + "\\\\".repeat(8_000), ";".repeat(16_000)]) {
    parseProtocols(text);
    parseProtocols('"a"' + text);
  }
  strictEqual(performance.now() - start < 200, true);
});

Deno.test("formatProtocols() refuses what such a string cannot hold", () => {
  for (const name of ["", "é", "a\n"]) throws(() => formatProtocols([name]), RangeError);
});

Deno.test("chooseProtocol() takes the first that the server knows", () => {
  strictEqual(chooseProtocol(["a", "b", "c"], ["x", "c", "b"]), "c");
  strictEqual(chooseProtocol(["a"], []), "");
});
