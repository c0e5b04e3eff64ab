import assert from "node:assert/strict";
import { systemClock } from "../../../core/wasi/system_clock.ts";

const sleep = () => Promise.resolve();

/** Runs with another `Date.now`. */
function withMachineTime(now: () => number, run: () => void): void {
  const real = Date.now;
  Date.now = now;
  try {
    run();
  } finally {
    Date.now = real;
  }
}

const msOf = (ns: bigint) => Number(ns / 1000n) / 1000;

Deno.test("systemClock() tells the time of the machine, to less than a millisecond", () => {
  const clock = systemClock({ sleep });
  assert(Math.abs(msOf(clock.realtimeNs()) - Date.now()) <= 20);
  const first = clock.realtimeNs();
  let next = first;
  while (next === first) next = clock.realtimeNs();
  assert(next > first && next - first < 1_000_000n, `${next - first} ns`);
});

Deno.test("systemClock() follows a clock that is set, in both directions, and goes on from there", () => {
  const clock = systemClock({ sleep });
  const real = Date.now();
  for (const shiftMs of [3_600_000, -3_600_000, 0]) {
    withMachineTime(() => real + shiftMs, () => {
      assert(Math.abs(msOf(clock.realtimeNs()) - (real + shiftMs)) <= 20);
    });
  }
});

Deno.test("systemClock() has a monotonic time that no set clock changes", () => {
  const clock = systemClock({ sleep });
  const before = clock.monotonicNs();
  withMachineTime(() => 0, () => {
    const after = clock.monotonicNs();
    assert(after >= before && after - before < 1_000_000_000n);
  });
});
