/** An ordinary answer to a request for an upgrade, for which node offers none. */

import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** Ends the connection when it is finished, and emits `close` as answers of a server do. */
export function upgradeAnswer(incoming: IncomingMessage, socket: Duplex): ServerResponse {
  const outgoing = new ServerResponse(incoming);
  outgoing.shouldKeepAlive = false;
  socket.on("error", () => socket.destroy());
  outgoing.assignSocket(socket as Socket);
  outgoing.once("finish", () => {
    outgoing.detachSocket(socket as Socket);
    outgoing.emit("close");
    socket.end();
  });
  return outgoing;
}
