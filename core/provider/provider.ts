/** A provider: keeps a session with a broker and runs the attempts it is given in its slots. */

import { Backoff } from "../backoff.ts";
import { delay } from "../delay.ts";
import { type Code, WasimoffError } from "../errors.ts";
import type { ProviderOptions } from "./provider_options.ts";
import { Session } from "../session/session.ts";
import { ProviderSession } from "./provider_session.ts";
import { ProviderSessionV1 } from "./provider_session_v1.ts";

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
  let backoff = newBackoff();
  while (!signal.aborted) {
    const begunMs = performance.now();
    let cause: WasimoffError;
    try {
      const opened = await options.openSession(signal);
      const served = opened instanceof Session
        ? await new ProviderSession(opened, options).serve()
        : await new ProviderSessionV1(opened, options).serve();
      if (served === "done") return;
      cause = served;
    } catch (error) {
      cause = WasimoffError.from(error);
      if (signal.aborted) return;
      if (HOPELESS.has(cause.code)) throw cause;
    }
    // A broker that served us for a while is expected back soon; one that always fails at once is spared.
    if (performance.now() - begunMs > RECONNECT_MAX_MS) backoff = newBackoff();
    const waitMs = backoff.next();
    logger.warn(`trying again in ${(waitMs / 1000).toFixed(1)} s: ${cause.message}`);
    await delay(waitMs, signal).catch(() => {}); // the loop's condition sees the abort
  }
}

function newBackoff(): Backoff {
  return new Backoff({ firstMs: RECONNECT_FIRST_MS, maxMs: RECONNECT_MAX_MS });
}
