/** Binds one function of the interface to a guest: faults become errno, an ended guest stays ended. */

import { ERRNO } from "./abi.ts";
import { WasiFault } from "./fault.ts";
import type { WasiFunction } from "./function_table.ts";
import { type Guest, GuestEnd } from "./guest.ts";

type Bound = (...args: unknown[]) => number | Promise<number>;

/** With `canWait`, promises are left to JSPI; without, what would have to wait is ENOTSUP. */
export function bindFunction(implementation: WasiFunction, guest: Guest, canWait: boolean): Bound {
  const run = implementation as (guest: Guest, ...args: unknown[]) => number | Promise<number>;
  return (...args) => {
    // A guest with exception handling can catch its own end and go on.
    if (guest.ending !== null) throw new GuestEnd();
    try {
      const result = run(guest, ...args);
      if (typeof result === "number") return result;
      const settled = result.catch(errnoOf);
      return canWait ? settled : ERRNO.NOTSUP;
    } catch (error) {
      return errnoOf(error);
    }
  };
}

function errnoOf(error: unknown): number {
  if (error instanceof WasiFault) return error.errno;
  throw error;
}
