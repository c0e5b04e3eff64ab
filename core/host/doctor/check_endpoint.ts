/** Checks that the broker's endpoint for clients can be used, over one transport. */

import { WasimoffError } from "../../errors.ts";
import { silent } from "../../log.ts";
import { openSession } from "../../session/dialer.ts";
import { BrokerDialer, type BrokerDialerOptions } from "../dial_broker.ts";
import { formatMs } from "./check_tcp.ts";
import type { Verdict } from "./diagnosis.ts";

export interface EndpointCheckOptions
  extends Pick<Required<BrokerDialerOptions>, "broker" | "token" | "agent" | "access"> {
  readonly signal: AbortSignal;
}

/** Connects over `access.transport`, says hello, waits for the welcome and says goodbye. */
export async function checkEndpoint(options: EndpointCheckOptions): Promise<Verdict<true>> {
  const { broker, token, agent, access, signal } = options;
  const begunMs = performance.now();
  const dialer = new BrokerDialer({ broker, endpoint: "client", token, agent, access, logger: silent });
  const reached = await dialer.connect(signal);
  if (reached.generation === 1) {
    reached.pipe.close(1000, "seen");
    const detail =
      `an existing broker: wasimoff_v1 (${reached.encoding}), without live output and resumption`;
    return { status: "ok", detail, value: true };
  }
  const connectedMs = performance.now();
  const { dial } = reached;
  const session = await openSession({ dial, token: token ?? "", agent, logger: silent, signal });
  const welcomedMs = performance.now();
  session.close(new WasimoffError("canceled", "seen"));
  const took = `open in ${formatMs(connectedMs - begunMs)}, hello answered in ${
    formatMs(welcomedMs - connectedMs)
  }`;
  return { status: "ok", detail: took, value: true };
}
