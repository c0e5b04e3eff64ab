/** Tests of times without a zone. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { fromDosTime, toDosTime } from "../../../core/wasi/zip_times.ts";

Deno.test("toDosTime() packs the parts of a time in UTC", () => {
  const dos = ((2024 - 1980) << 25) | (2 << 21) | (3 << 16) | (4 << 11) | (5 << 5) | 3;
  assert.equal(toDosTime(Date.UTC(2024, 1, 3, 4, 5, 6)), dos);
  assert.equal(fromDosTime(dos), Date.UTC(2024, 1, 3, 4, 5, 6));
});

Deno.test("fromDosTime() gives back what toDosTime() packed, to two seconds", () => {
  const ms = fc.integer({ min: Date.UTC(1980, 0, 1), max: Date.UTC(2107, 11, 31, 23, 59, 59) });
  fc.assert(fc.property(ms, (ms) => {
    assert.equal(fromDosTime(toDosTime(ms)), ms - ms % 2000);
  }));
});

Deno.test("toDosTime() keeps to the years that the format has", () => {
  assert.equal(fromDosTime(toDosTime(-1e13)), Date.UTC(1980, 0, 1));
  assert.equal(fromDosTime(toDosTime(Date.UTC(2500, 0, 1))), Date.UTC(2107, 11, 31, 23, 59, 58));
});

Deno.test("fromDosTime() makes a number of any 32 bits", () => {
  fc.assert(fc.property(fc.nat(2 ** 32 - 1), (dos) => Number.isSafeInteger(fromDosTime(dos))));
});
