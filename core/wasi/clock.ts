/** clock_*: real time, monotonic time, and the time a guest has run for the CPU clocks. */

import { CLOCKID, ERRNO } from "./abi.ts";
import { fail } from "./fault.ts";
import type { FunctionTable } from "./function_table.ts";
import type { Guest } from "./guest.ts";

/** What is promised: browsers round their clocks to 5 us at best, Deno to 1 us. */
const RESOLUTION_NS = 1000n;

/**
 * Nanoseconds of a clock. One guest runs alone in its thread, so its CPU time is what has passed since its start
 * without the time it slept in `poll_oneoff`.
 */
export function clockNs(guest: Guest, id: number): bigint {
  switch (id) {
    case CLOCKID.REALTIME:
      return guest.program.clock.realtimeNs();
    case CLOCKID.MONOTONIC:
      return guest.program.clock.monotonicNs();
    case CLOCKID.PROCESS_CPUTIME:
    case CLOCKID.THREAD_CPUTIME:
      return guest.program.clock.monotonicNs() - guest.startNs - guest.idleNs;
    default:
      return fail(ERRNO.INVAL);
  }
}

export const CLOCK: FunctionTable = {
  clock_res_get(guest, id: number, out: number) {
    clockNs(guest, id);
    guest.memory.setU64(out, RESOLUTION_NS);
    return ERRNO.SUCCESS;
  },
  clock_time_get(guest, id: number, _precision: bigint, out: number) {
    guest.memory.setU64(out, clockNs(guest, id));
    return ERRNO.SUCCESS;
  },
};
