/** Two sockets as one, once their HTTP is over. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { Socket } from "node:net";
import { switchedHead } from "./switched_head.ts";

/** A peer that vanished is noticed by TCP after this long. */
const KEEP_ALIVE_MS = 60_000;

/** A visitor who asked for another protocol. */
export interface Switching {
  readonly socket: Duplex;
  /** What would have been the answer of a service that does not switch. */
  readonly outgoing: ServerResponse;
  /** What came after the request. */
  readonly head: Buffer;
}

/** Tells the visitor that the service has switched, and joins both. */
export function switchOver(
  { socket, outgoing, head }: Switching,
  answer: IncomingMessage,
  service: Duplex,
  serviceHead: Buffer,
): void {
  outgoing.detachSocket(socket as Socket);
  if (socket.destroyed) return void service.destroy();
  socket.write(switchedHead(answer), "latin1");
  if (serviceHead.length > 0) socket.write(serviceHead);
  if (head.length > 0) service.write(head);
  splice(socket, service);
}

/** Passes bytes both ways until both directions have ended; what goes wrong on one side ends the other at once. */
function splice(visitor: Duplex, service: Duplex): void {
  if (visitor instanceof Socket) visitor.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
  for (const [one, other] of [[visitor, service], [service, visitor]] as const) {
    one.on("error", () => other.destroy());
    one.once("close", () => other.writableFinished && one.readableEnded || other.destroy());
    one.pipe(other);
  }
}
