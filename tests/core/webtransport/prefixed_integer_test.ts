import { deepEqual, equal } from "node:assert/strict";
import * as fc from "fast-check";
import { Http3Error } from "../../../core/webtransport/http3_error.ts";
import { appendPrefixedInteger, readPrefixedInteger } from "../../../core/webtransport/prefixed_integer.ts";
import { http3Failure } from "../../support/http3_failure.ts";

const FAILED = ["QPACK_DECOMPRESSION_FAILED", "connection"];

function encode(value: number, prefixBits: number, flags = 0): string {
  const target: number[] = [];
  appendPrefixedInteger(target, value, { flags, prefixBits });
  return new Uint8Array(target).toHex();
}

/** RFC 7541 C.1, and the borders. */
const TABLE: readonly [number, number, string][] = [
  [10, 5, "0a"],
  [1337, 5, "1f9a0a"],
  [42, 8, "2a"],
  [30, 5, "1e"],
  [31, 5, "1f00"],
  [158, 5, "1f7f"],
  [159, 5, "1f8001"],
  [34_359_738_367 + 31, 5, "1fffffffff7f"],
];

for (const [value, prefixBits, hex] of TABLE) {
  Deno.test(`${value} behind a prefix of ${prefixBits} bits is ${hex}, in both directions`, () => {
    equal(encode(value, prefixBits), hex);
    deepEqual(readPrefixedInteger(Uint8Array.fromHex(hex), 0, prefixBits), { value, next: hex.length / 2 });
  });
}

Deno.test("the bits above the prefix are kept apart", () => {
  equal(encode(1337, 5, 0b1010_0000), "bf9a0a");
  equal(readPrefixedInteger(Uint8Array.fromHex("00bf9a0a"), 1, 5).value, 1337);
});

Deno.test("readPrefixedInteger() refuses an end inside, and what is too long", () => {
  for (const hex of ["", "1f", "1f80", "1fffffffffff01", "1f80808080808000"]) {
    deepEqual(http3Failure(() => readPrefixedInteger(Uint8Array.fromHex(hex), 0, 5)), FAILED);
  }
});

Deno.test("any integer comes back", () => {
  fc.assert(fc.property(fc.integer({ min: 0 }), fc.integer({ min: 3, max: 8 }), (value, prefixBits) => {
    equal(readPrefixedInteger(Uint8Array.fromHex(encode(value, prefixBits)), 0, prefixBits).value, value);
  }));
});

Deno.test("readPrefixedInteger() takes any bytes, and reads no further than they go", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 8 }),
    fc.uint8Array({ min: 0x7f, max: 0xff, maxLength: 8 }),
  );
  fc.assert(fc.property(bytes, fc.integer({ min: 3, max: 8 }), (bytes, prefixBits) => {
    try {
      const { value, next } = readPrefixedInteger(bytes, 0, prefixBits);
      equal(Number.isSafeInteger(value) && value >= 0 && next >= 1 && next <= bytes.length, true);
    } catch (error) {
      if (!(error instanceof Http3Error)) throw error;
      equal(error.http3Name, "QPACK_DECOMPRESSION_FAILED");
    }
  }));
});
