/** A client of whatever broker is there. */

import { Client } from "../client/client.ts";
import { ClientV1 } from "../client/client_v1.ts";
import { BrokerDialer, type BrokerDialerOptions } from "./dial_broker.ts";

export interface ConnectClientOptions extends Omit<BrokerDialerOptions, "endpoint" | "query"> {
  readonly signal: AbortSignal;
}

/** Connects to the client endpoint of a broker, in one attempt; rejects as `Client.connect` does. */
export async function connectClient(options: ConnectClientOptions): Promise<Client | ClientV1> {
  const { token, agent, logger, signal } = options;
  const reached = await new BrokerDialer({ ...options, endpoint: "client" }).connect(signal);
  if (reached.generation === 1) return new ClientV1(reached.pipe, reached.encoding);
  return await Client.connect({ dial: reached.dial, token: token ?? "", agent, logger, signal });
}
