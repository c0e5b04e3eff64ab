/** The error for a module that is not run. */

import { WasimoffError } from "../errors.ts";

/** `why` goes on from "cannot run module", and says what to do. */
export function refused(why: string): WasimoffError {
  return new WasimoffError("invalid_argument", `cannot run module: ${why}`);
}
