import { deepEqual, equal, ok } from "node:assert/strict";
import { Backoff } from "../../core/backoff.ts";

const waits = (backoff: Backoff, count: number) => Array.from({ length: count }, () => backoff.next());

Deno.test("Backoff.next() doubles up to its maximum, between half of it and all of it", () => {
  const options = { firstMs: 100, maxMs: 1_000 };
  deepEqual(waits(new Backoff({ ...options, random: () => 0 }), 6), [50, 100, 200, 400, 500, 500]);
  const highest = waits(new Backoff({ ...options, random: () => 0.999_999 }), 6).map(Math.round);
  deepEqual(highest, [100, 200, 400, 800, 1_000, 1_000]);
});

Deno.test("Backoff waits 50 to 100 ms at first and at most 10 s without options", () => {
  const backoff = new Backoff();
  const [first, ...others] = waits(backoff, 20);
  ok(first! >= 50 && first! < 100);
  ok(others.at(-1)! >= 5_000 && others.at(-1)! < 10_000);
  equal(others.every((ms) => ms < 10_000), true);
});
