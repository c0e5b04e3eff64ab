/** Tests of the checksum of ZIPs. */

import assert from "node:assert/strict";
import zlib from "node:zlib";
import fc from "fast-check";
import { crc32 } from "../../../core/wasi/crc32.ts";

Deno.test("crc32() is what zlib computes, for any length and alignment", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  assert.equal(crc32(new Uint8Array()), 0);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(7), (bytes, start) => {
    const view = bytes.subarray(start);
    assert.equal(crc32(view), zlib.crc32(view));
  }));
});
