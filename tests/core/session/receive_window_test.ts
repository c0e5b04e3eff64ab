import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { MAX_FRAMES_AHEAD } from "../../../core/protocol/limits.ts";
import { ReceiveWindow } from "../../../core/session/receive_window.ts";

Deno.test("ReceiveWindow counts up to the first missing frame, and jumps when it comes", () => {
  const window = new ReceiveWindow();
  deepEqual([1, 3, 4].map((number) => window.add(number)), [true, true, true]);
  deepEqual([window.received, window.complete], [1, false]);
  equal(window.add(2), true);
  deepEqual([window.received, window.complete], [4, true]);
});

Deno.test("ReceiveWindow tells what has come before, at once or ahead", () => {
  const window = new ReceiveWindow();
  for (const number of [1, 2, 5]) window.add(number);
  deepEqual([1, 2, 5, 3].map((number) => window.add(number)), [false, false, false, true]);
  equal(window.received, 3);
});

Deno.test("ReceiveWindow takes MAX_FRAMES_AHEAD numbers and refuses what no peer can have reached", () => {
  const window = new ReceiveWindow();
  for (let number = 1; number <= 10; number++) window.add(number);
  for (const number of [0, -1, 11 + MAX_FRAMES_AHEAD, Number.MAX_SAFE_INTEGER]) {
    throws(() => window.add(number), { code: "invalid_argument" });
  }
  for (let number = 12; number <= 10 + MAX_FRAMES_AHEAD; number++) equal(window.add(number), true);
  equal(window.received, 10);
  window.add(11);
  deepEqual([window.received, window.complete], [10 + MAX_FRAMES_AHEAD, true]);
});

Deno.test("ReceiveWindow agrees with a set, for any order and repetition", () => {
  const steps = fc.array(fc.oneof(fc.nat(12), fc.nat(300)), { maxLength: 200 });
  fc.assert(
    fc.property(steps, fc.nat(3 * MAX_FRAMES_AHEAD), (steps, start) => {
      const window = new ReceiveWindow();
      for (let number = 1; number <= start; number++) window.add(number);
      const ahead = new Set<number>();
      let received = start;
      for (const step of steps) {
        const number = received + step - 3;
        if (number < 1) continue;
        equal(window.add(number), number > received && !ahead.has(number));
        if (number > received) ahead.add(number);
        while (ahead.delete(received + 1)) received++;
        deepEqual([window.received, window.complete], [received, ahead.size === 0]);
      }
    }),
    { numRuns: 30 },
  );
});
