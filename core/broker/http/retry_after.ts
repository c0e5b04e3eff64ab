/** When a client may try again (RFC 9110 10.2.3). */

import type { Code } from "../../errors.ts";

/** Tasks leave a full queue all the time; longer would leave providers idle. */
const RETRY_AFTER_S = 1;

/** The header for codes after which the same request may succeed later; none for others. */
export function retryAfter(code: Code): Record<string, string> {
  return code === "resource_exhausted" || code === "unavailable"
    ? { "retry-after": String(RETRY_AFTER_S) }
    : {};
}
