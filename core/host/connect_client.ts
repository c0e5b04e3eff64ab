/** A client of whatever broker is there. */

import { Client } from "../client/client.ts";
import { ClientV1 } from "../client/client_v1.ts";
import type { Logger } from "../log.ts";
import { dialBroker } from "./dial_broker.ts";

export interface ConnectClientOptions {
  /** null for none. */
  readonly token: string | null;
  /** Program and version, told to the broker. */
  readonly agent: string;
  /** Of WebSockets, in the order of preference; all that we know when absent. */
  readonly protocols?: readonly string[];
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Connects to the client endpoint at `url` (ws: or wss:), in one attempt; rejects as `Client.connect` does. */
export async function connectClient(url: string, options: ConnectClientOptions): Promise<Client | ClientV1> {
  const { token, agent, logger, signal } = options;
  const reached = await dialBroker(url, options);
  if (reached.generation === 1) return new ClientV1(reached.pipe, reached.encoding);
  return await Client.connect({ dial: reached.dial, token: token ?? "", agent, logger, signal });
}
