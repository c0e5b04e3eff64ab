/** Reaches an endpoint of a broker in our own generation of the protocol. */

import { SUBPROTOCOL_V2 } from "../protocol/limits.ts";
import type { Dial } from "../session/dialer.ts";
import { dialWebSocket } from "./websocket_dialer.ts";

/** Dials `url` (ws: or wss:) anew at each call, as a session does that comes back. */
export function dialV2(url: string): Dial {
  return async (signal) => (await dialWebSocket(url, { protocols: [SUBPROTOCOL_V2], signal })).connection;
}
