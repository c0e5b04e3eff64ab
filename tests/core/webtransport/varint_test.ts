import { deepEqual, equal, throws } from "node:assert/strict";
import * as fc from "fast-check";
import {
  encodeVarints,
  MAX_VARINT,
  readVarint,
  varintLength,
  varintLengthFrom,
} from "../../../core/webtransport/varint.ts";

/** RFC 9000 A.1, and the borders of the lengths. */
const SHORTEST: readonly [string, bigint][] = [
  ["00", 0n],
  ["25", 37n],
  ["3f", 63n],
  ["4040", 64n],
  ["7bbd", 15_293n],
  ["7fff", 16_383n],
  ["80004000", 16_384n],
  ["9d7f3e7d", 494_878_333n],
  ["bfffffff", 0x3fff_ffffn],
  ["c000000040000000", 0x4000_0000n],
  ["c2197c5eff14e88c", 151_288_809_941_952_652n],
  ["ffffffffffffffff", MAX_VARINT],
];

for (const [hex, value] of SHORTEST) {
  Deno.test(`varint ${hex} is ${value}, in both directions`, () => {
    const bytes = Uint8Array.fromHex(hex);
    deepEqual(readVarint(bytes), { value, next: bytes.length });
    equal(encodeVarints(value).toHex(), hex);
    equal(varintLengthFrom(bytes[0] as number), bytes.length);
    equal(varintLength(value), bytes.length);
    for (let length = 0; length < bytes.length; length++) {
      equal(readVarint(bytes.subarray(0, length)), undefined);
    }
  });
}

Deno.test("readVarint() takes longer forms than needed, at any offset", () => {
  deepEqual(readVarint(Uint8Array.fromHex("ff4025"), 1), { value: 37n, next: 3 });
  equal(readVarint(Uint8Array.fromHex("25"), 1), undefined);
});

Deno.test("encodeVarints() takes numbers, and refuses what has not 0 to 62 bits", () => {
  equal(encodeVarints(0x54, 4).toHex(), "405404");
  for (const value of [-1, MAX_VARINT + 1n, 1.5]) throws(() => encodeVarints(value), RangeError);
});

Deno.test("any value comes back, whatever is around it", () => {
  const value = fc.bigInt({ min: 0n, max: MAX_VARINT });
  fc.assert(fc.property(value, value, (first, second) => {
    const bytes = encodeVarints(first, second);
    const one = readVarint(bytes);
    equal(one?.value, first);
    deepEqual(readVarint(bytes, one?.next), { value: second, next: bytes.length });
  }));
});
