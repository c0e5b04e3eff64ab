/** Moments as the existing programs write them (wasimoff-v1 9). */

/** As fine as a clock in milliseconds can be; a finer one would only show its rounding. */
const US_PER_MS = 1_000;
const NS_PER_US = 1_000n;

/** Unix nanoseconds, to the microsecond; of now when no time in milliseconds is given. */
export function unixNanos(unixMs = performance.timeOrigin + performance.now()): bigint {
  return BigInt(Math.round(unixMs * US_PER_MS)) * NS_PER_US;
}
