/** proc_*, sched_yield and random_get. */

import { ERRNO } from "./abi.ts";
import { fail } from "./fault.ts";
import type { FunctionTable } from "./function_table.ts";

/** Most bytes `crypto.getRandomValues` fills at once. */
const RANDOM_MAX_BYTES = 65_536;
/** Signals that a process ignores unless it says otherwise: none, CHLD, CONT, URG, WINCH. */
const IGNORED_SIGNALS: ReadonlySet<number> = new Set([0, 16, 17, 22, 27]);
/** SYS, the last signal of the witx. */
const LAST_SIGNAL = 30;

export const PROC: FunctionTable = {
  proc_exit: (guest, status: number) => guest.end({ kind: "exit", status: status >>> 0 }),
  proc_raise(guest, signal: number) {
    if (signal < 0 || signal > LAST_SIGNAL) fail(ERRNO.INVAL);
    if (IGNORED_SIGNALS.has(signal)) return ERRNO.SUCCESS;
    return guest.end({ kind: "trap", message: `raised signal ${signal}` });
  },
  sched_yield: () => ERRNO.SUCCESS,
  random_get(guest, pointer: number, length: number) {
    const bytes = guest.memory.bytes(pointer, length);
    for (let at = 0; at < bytes.length; at += RANDOM_MAX_BYTES) {
      guest.program.random(bytes.subarray(at, at + RANDOM_MAX_BYTES));
    }
    return ERRNO.SUCCESS;
  },
};
