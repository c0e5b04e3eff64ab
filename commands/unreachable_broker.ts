/** What a person is told when the broker cannot be reached. */

import { WasimoffError } from "../core/errors.ts";
import { explainFetch } from "../core/host/fetch_failure.ts";

/** An `unavailable` in the words of the URL that was given; what is one of ours already says more. */
export function unreachableBroker({ href }: URL, cause: unknown): WasimoffError {
  const { refused, reason } = explainFetch(cause);
  if (cause instanceof WasimoffError && !refused) return cause;
  const detail = refused ? 'start one with "wasimoff broker"' : reason;
  return new WasimoffError("unavailable", `cannot reach the broker at "${href}": ${detail}`, { cause });
}
