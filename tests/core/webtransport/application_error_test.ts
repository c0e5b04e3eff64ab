import { equal, throws } from "node:assert/strict";
import * as fc from "fast-check";
import { toApplicationCode, toHttp3Code } from "../../../core/webtransport/application_error.ts";

/** The last three are what Chromium sent for 5 and 6, and the largest number of the range. */
const TABLE: readonly [number, number][] = [
  [0, 0x52e4a40fa8db],
  [29, 0x52e4a40fa8f8],
  [30, 0x52e4a40fa8fa],
  [255, 0x52e4a40fa9e2],
  [5, 91_141_958_510_816],
  [6, 91_141_958_510_817],
  [0xffff_ffff, 0x52e5ac983162],
];

for (const [code, http3Code] of TABLE) {
  Deno.test(`application code ${code} is ${http3Code} in HTTP/3, in both directions`, () => {
    equal(toHttp3Code(code), http3Code);
    equal(toApplicationCode(http3Code), code);
  });
}

Deno.test("toApplicationCode() knows no code outside of the range and for reserved numbers", () => {
  for (const code of [0, 0x10c, 0x52e4a40fa8da, 0x52e4a40fa8f9, 0x52e5ac983163, Infinity, NaN, 1.5]) {
    equal(toApplicationCode(code), undefined, `${code}`);
  }
});

Deno.test("toHttp3Code() refuses what has not 32 bits", () => {
  for (const code of [-1, 0x1_0000_0000, 0.5, NaN]) throws(() => toHttp3Code(code), RangeError);
});

Deno.test("no code becomes a reserved number, and each comes back", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (code) => {
    equal(toApplicationCode(toHttp3Code(code)), code);
    equal((toHttp3Code(code) - 0x21) % 0x1f === 0, false);
  }));
});
