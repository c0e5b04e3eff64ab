import { equal } from "node:assert/strict";
import fc from "fast-check";
import { equalInConstantTime } from "../../core/constant_time.ts";

Deno.test("equalInConstantTime() says what a plain comparison says", () => {
  const short = fc.uint8Array({ maxLength: 4, max: 2 });
  fc.assert(
    fc.property(short, short, (a, b) => {
      equal(equalInConstantTime(a, b), a.toHex() === b.toHex());
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("equalInConstantTime() sees a difference at every place, and in the length", () => {
  const secret = Uint8Array.from({ length: 32 }, (_, i) => i);
  for (let i = 0; i < 32; i++) equal(equalInConstantTime(secret.with(i, 255), secret), false);
  for (const other of [new Uint8Array(0), secret.subarray(1), Uint8Array.of(...secret, ...secret)]) {
    equal(equalInConstantTime(other, secret), false);
    equal(equalInConstantTime(secret, other), false);
  }
  equal(equalInConstantTime(secret.slice(), secret), true);
});
