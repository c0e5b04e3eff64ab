/** A rendezvous that listens on a free port of 127.0.0.1, for tests. */

import { TrustedProxies } from "../../core/broker/identity/trusted_proxies.ts";
import { RendezvousHost, type RendezvousHostOptions } from "../../core/host/rendezvous_host.ts";
import { silent } from "../../core/log.ts";

/** Everybody at 127.0.0.1 counts as a proxy there: `X-Forwarded-For` says who asks. */
export function startRendezvous(options: Partial<RendezvousHostOptions> = {}): Promise<RendezvousHost> {
  const proxies = new TrustedProxies(["127.0.0.1"]);
  return RendezvousHost.start({
    shared: false,
    listen: { hostname: "127.0.0.1", port: 0, tls: false },
    credentials: null,
    bridgeListPath: null,
    allowedRelayPattern: "snowflake.torproject.net$",
    defaultRelayPattern: "",
    pollsPerAddress: 4,
    metricsLog: null,
    unsafeLogging: false,
    clientAddress: proxies.clientAddress.bind(proxies),
    isProxy: proxies.has.bind(proxies),
    logger: silent,
    ...options,
  });
}
