/** A provider: keeps a session with a broker and runs the attempts it is given in its slots. */

import { Backoff } from "../backoff.ts";
import { delay } from "../delay.ts";
import { type Code, WasimoffError } from "../errors.ts";
import type { ProviderOptions } from "./provider_options.ts";
import { ProviderSession } from "./provider_session.ts";

/** Waits between attempts to reach a broker: short at first, so that a restarted broker is found soon. */
const RECONNECT_FIRST_MS = 200;
const RECONNECT_MAX_MS = 15_000;

/** Errors that no waiting will change. */
const HOPELESS: ReadonlySet<Code> = new Set([
  "unauthenticated",
  "permission_denied",
  "unimplemented",
  "invalid_argument",
]);

/**
 * Serves until the signal is aborted (or the first task is done, with `once`); reconnects for ever otherwise.
 * Rejects only with what no waiting changes, as a refused token.
 */
export async function runProvider(options: ProviderOptions): Promise<void> {
  const { logger, signal } = options;
  let backoff = new Backoff({ firstMs: RECONNECT_FIRST_MS, maxMs: RECONNECT_MAX_MS });
  while (!signal.aborted) {
    try {
      const session = await options.openSession(signal);
      backoff = new Backoff({ firstMs: RECONNECT_FIRST_MS, maxMs: RECONNECT_MAX_MS });
      const served = new ProviderSession(session, options);
      if (await served.serve() === "done") return;
    } catch (error) {
      const cause = WasimoffError.from(error);
      if (signal.aborted) return;
      if (HOPELESS.has(cause.code)) throw cause;
      const waitMs = backoff.next();
      logger.warn(`trying again in ${(waitMs / 1000).toFixed(1)} s: ${cause.message}`);
      await delay(waitMs, signal).catch(() => {}); // the loop's condition sees the abort
    }
  }
}
