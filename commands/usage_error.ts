/** Wrong usage: what a person wrote on the command line, in the environment or in the config file. */

import { WasimoffError } from "../core/errors.ts";

/** An error with the code that becomes exit status 2. The message names what was written and what to write. */
export function usageError(message: string, cause?: unknown): WasimoffError {
  return new WasimoffError("invalid_argument", message, cause === undefined ? {} : { cause });
}
