/** Reaches an endpoint of a broker in the newest generation that it speaks (wasimoff-v1 3). */

import { type EncodingV1, SUBPROTOCOL_V1_BINARY, SUBPROTOCOL_V1_JSON } from "../protocol/envelope_v1.ts";
import { SUBPROTOCOL_V2 } from "../protocol/limits.ts";
import type { MessagePipe } from "../protocol/messenger_v1.ts";
import type { Connection } from "../session/connection.ts";
import type { Dial } from "../session/dialer.ts";
import { dialV2 } from "./dial_v2.ts";
import { UnfinishedMessages } from "./unfinished_messages.ts";
import { WebSocketConnection } from "./websocket_connection.ts";
import { openWebSocket } from "./websocket_dialer.ts";
import { MESSAGE_WEBSOCKET_OPTIONS, WebSocketMessages } from "./websocket_messages.ts";

export interface DialBrokerOptions {
  /** null for none. In v1 it has no other place than the header; in v2 it also is in the hello. */
  readonly token: string | null;
  /** Program and version; existing brokers refuse providers that name none. */
  readonly agent: string;
  /** Default ALL_PROTOCOLS. */
  readonly protocols?: readonly string[];
  readonly signal?: AbortSignal;
}

/** What the broker has chosen. */
export type BrokerConnection =
  | { readonly generation: 2; readonly dial: Dial }
  | { readonly generation: 1; readonly pipe: MessagePipe; readonly encoding: EncodingV1 };

/** In our order of preference; existing brokers do not know the first. */
export const ALL_PROTOCOLS: readonly string[] = [SUBPROTOCOL_V2, SUBPROTOCOL_V1_BINARY, SUBPROTOCOL_V1_JSON];

/** Dials `url` (ws: or wss:) once. Rejects as `dialWebSocket` does; `dial` of the second generation dials again. */
export async function dialBroker(url: string, options: DialBrokerOptions): Promise<BrokerConnection> {
  const { token, agent, protocols = ALL_PROTOCOLS, signal } = options;
  return await openWebSocket<BrokerConnection>(url, {
    protocols,
    headers: {
      "user-agent": agent,
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    ...MESSAGE_WEBSOCKET_OPTIONS,
    adopt: (socket, transport, protocol) =>
      protocol === SUBPROTOCOL_V2
        ? { generation: 2, dial: startingWith(new WebSocketConnection(socket, transport), dialV2(url)) }
        : {
          generation: 1,
          pipe: new WebSocketMessages(socket, transport, new UnfinishedMessages()),
          encoding: protocol === SUBPROTOCOL_V1_JSON ? "json" : "binary",
        },
    ...(signal && { signal }),
  });
}

/** The connection that is open already, then new ones. */
function startingWith(first: Connection, dial: Dial): Dial {
  let open: Connection | null = first;
  return (signal) => {
    if (open === null) return dial(signal);
    const connection = open;
    open = null;
    return Promise.resolve(connection);
  };
}
