/** The clocks of the machine as guests see them, finer than a millisecond. */

import type { GuestClock } from "./program.ts";

/** When the machine's clock is this far from ours it was set anew, or the machine has slept. */
const MAX_DRIFT_MS = 20;
const NS_PER_MS = 1e6;

/** A clock whose real time follows that of the machine, also when it is set while a slot lives. */
export function systemClock(waits: Pick<GuestClock, "sleep" | "block">): GuestClock {
  let originMs = performance.timeOrigin;
  return {
    ...waits,
    realtimeNs() {
      const passedMs = performance.now();
      const machineMs = Date.now();
      if (Math.abs(originMs + passedMs - machineMs) > MAX_DRIFT_MS) originMs = machineMs - passedMs;
      return BigInt(Math.round((originMs + passedMs) * NS_PER_MS));
    },
    monotonicNs: () => BigInt(Math.round(performance.now() * NS_PER_MS)),
  };
}
