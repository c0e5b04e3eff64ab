/** A request to a peer of wasimoff_v1 that must be answered in time. */

import { WasimoffError } from "../errors.ts";
import type { PayloadV1 } from "../protocol/envelope_v1.ts";
import type { MessengerV1 } from "../protocol/messenger_v1.ts";

/** As `messenger.request`, and rejects with `deadline_exceeded` when there is no answer within `limitMs`. */
export async function requestWithin(
  messenger: MessengerV1,
  payload: PayloadV1,
  limitMs: number,
): Promise<PayloadV1> {
  const late = new AbortController();
  const what = payload.$typeName.slice("wasimoff.v1.".length);
  const timer = setTimeout(() => {
    const message = `peer did not answer a ${what} within ${limitMs / 1000} s`;
    late.abort(new WasimoffError("deadline_exceeded", message));
  }, limitMs);
  try {
    return await messenger.request(payload, late.signal);
  } finally {
    clearTimeout(timer);
  }
}
