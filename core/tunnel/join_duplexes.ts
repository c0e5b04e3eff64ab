/** Two connections as one. */

import type { ByteDuplex } from "../byte_stream.ts";
import { WasimoffError } from "../errors.ts";
import { pump } from "../pump.ts";

/**
 * Moves bytes both ways until each direction has ended by itself. A source that fails (a reset) ends the other direction,
 * too, for a connection that was reset takes no bytes either; a sink that wants no more ends only its own. Aborting
 * ends both. Never rejects.
 */
export async function joinDuplexes(a: ByteDuplex, b: ByteDuplex, signal: AbortSignal): Promise<void> {
  const end = () => {
    const cause = WasimoffError.from(signal.reason, "canceled");
    endDuplex(a, cause);
    endDuplex(b, cause);
  };
  const move = async (from: ByteDuplex, to: ByteDuplex) => {
    const broken = await pump(from.readable, to.writable);
    if (broken?.side !== "source") return;
    endDuplex(a, broken.cause);
    endDuplex(b, broken.cause);
  };
  if (signal.aborted) end();
  else signal.addEventListener("abort", end, { once: true });
  await Promise.all([move(a, b), move(b, a)]);
  signal.removeEventListener("abort", end);
}

/** Ends both directions without a proper end. */
export function endDuplex({ readable, writable }: ByteDuplex, cause: WasimoffError): void {
  readable.cancel(cause);
  writable.abort(cause);
}
