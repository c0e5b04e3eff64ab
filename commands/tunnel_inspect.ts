/** `--inspect` of `wasimoff tunnel http`: a page that shows the requests while they happen. */

import { isLoopback, parseIpAddress } from "../core/broker/identity/ip_address.ts";
import { inspectingReach } from "../core/host/inspecting_reach.ts";
import { InspectServer } from "../core/host/inspect_server.ts";
import type { Logger } from "../core/log.ts";
import { ExchangeLog } from "../core/tunnel/exchange_log.ts";
import type { ReachService } from "../core/tunnel/tunnel_client.ts";
import { formatListenAddress, type ListenAddress } from "./listen_address.ts";
import type { TunnelTarget } from "./tunnel_target.ts";
import { usageError } from "./usage_error.ts";

export interface Inspection extends AsyncDisposable {
  /** Reaches the service so that the page shows it. */
  watch(reach: ReachService): ReachService;
}

/** Nobody asked: nothing is between tunnel and service. */
const NONE: Inspection = {
  watch: (reach) => reach,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** Serves the page at `address`, if there is one. */
export async function openInspection(
  address: ListenAddress | null,
  { target, log }: { readonly target: TunnelTarget; readonly log: Logger },
): Promise<Inspection> {
  if (address === null) return NONE;
  if (target.kind === "tcp") throw usageError("--inspect is for HTTP: leave it out");
  const ip = parseIpAddress(address.host ?? "");
  if (address.host !== "localhost" && (ip === null || !isLoopback(ip))) {
    throw usageError("--inspect shows what visitors send to this machine only: give it as 127.0.0.1:4040");
  }
  const exchanges = new ExchangeLog(() => performance.timeOrigin + performance.now());
  const server = await InspectServer.open(exchanges, { hostname: address.host!, port: address.port });
  log.info(`requests are shown at http://${formatListenAddress({ ...address, port: server.address.port })}`);
  return {
    watch: (reach) => inspectingReach(reach, exchanges),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
