/** Two sockets as one, once their HTTP is over. */

import type { Duplex } from "node:stream";
import { Socket } from "node:net";

/** A peer that vanished is noticed by TCP after this long. */
const KEEP_ALIVE_MS = 60_000;

/** Passes bytes both ways until both directions have ended; what goes wrong on one side ends the other at once. */
export function splice(visitor: Duplex, service: Duplex): void {
  if (visitor instanceof Socket) visitor.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
  for (const [one, other] of [[visitor, service], [service, visitor]] as const) {
    one.on("error", () => other.destroy());
    one.once("close", () => other.writableFinished && one.readableEnded || other.destroy());
    one.pipe(other);
  }
}
