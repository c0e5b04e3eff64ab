/** The outer limit of a wait, for tests that would hang otherwise. */

/** Longer than anything takes that works, on a busy machine too. */
const PATIENCE_MS = 30_000;

/** The promise, or an error that says what did not happen in time. */
export async function within<T>(promise: Promise<T>, what: string, limitMs = PATIENCE_MS): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} did not happen within ${limitMs} ms`)), limitMs);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
