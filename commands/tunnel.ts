/** `wasimoff tunnel`: publishes a service that runs behind a firewall. */

import { connectTunnels } from "../core/host/connect_tunnels.ts";
import { serviceDialer } from "../core/host/service_dialer.ts";
import { openTunnelIdentity } from "../core/host/tunnel_identity.ts";
import { brickchainEndpoint } from "../core/tunnel/brickchain/brickchain_endpoint.ts";
import { keepTunnel } from "../core/tunnel/keep_tunnel.ts";
import type { OpenedTunnel, TunnelRequest } from "../core/tunnel/tunnel_client.ts";
import { nameBroker } from "./broker_access.ts";
import { type Call, defineCommand } from "./command.ts";
import { BROKER_NOTE } from "./common_flags.ts";
import { defaultConfigPath } from "./config_file.ts";
import { printLine } from "./stdout.ts";
import { readTunnelAuth } from "./tunnel_auth.ts";
import { publishAtBrickchain } from "./tunnel_brickchain.ts";
import { openInspection } from "./tunnel_inspect.ts";
import { TUNNEL_FLAGS } from "./tunnel_flags.ts";
import { checkNotBroker, parseTunnelTarget, type TunnelTarget } from "./tunnel_target.ts";
import { usageError } from "./usage_error.ts";
import { VERSION } from "./version.ts";

export const command = defineCommand({
  name: "tunnel",
  summary: "publish a service that runs behind a firewall",
  operands: { usage: "http|tcp [HOST:]PORT", min: 2, max: 2 },
  examples: [
    "wasimoff tunnel http 3000 --url https://broker",
    "wasimoff tunnel tcp 5432 --name db --url https://broker",
  ],
  flags: TUNNEL_FLAGS,
  notes: [BROKER_NOTE],
  run: publish,
});

type TunnelCall = Call<typeof TUNNEL_FLAGS>;

/** Bytes that tell this process from all others with the same key. */
const INSTANCE_BYTES = 16;

async function publish(call: TunnelCall): Promise<number> {
  const { options, sources, operands, log, signal } = call;
  const target = parseTunnelTarget(operands);
  const request = await tunnelRequest(options, target);
  await using inspection = await openInspection(options.inspect, { target, log });
  const identity = await openTunnelIdentity(options.identity ?? defaultIdentityPath());
  const endpoint = brickchainEndpoint(options.url);
  if (endpoint !== null) return await publishAtBrickchain(call, { endpoint, target, identity });
  const named = await nameBroker({ options, sources }, log);
  checkNotBroker(target, named.broker.http);
  let printed = "";
  await keepTunnel({
    openSession: (signal) => connectTunnels({ ...named, agent: `wasimoff/${VERSION}`, logger: log }, signal),
    client: { identity, instance: crypto.getRandomValues(new Uint8Array(INSTANCE_BYTES)) },
    request: { ...request, audience: named.broker.http.host },
    reach: inspection.watch(serviceDialer(target.hostname, target.port)),
    opened: (tunnel) => {
      log.info(`tunnel "${tunnel.name}" to ${operands[1]} is open`);
      const text = publicPlaces(tunnel, target, options.url);
      if (text === printed) return;
      printed = text;
      void printLine(text);
    },
    lost: (cause) => log.warn(`tunnel is lost, opening it again: ${cause.message}`),
    signal,
  });
  return 0;
}

async function tunnelRequest(
  options: TunnelCall["options"],
  { kind }: TunnelTarget,
): Promise<Omit<TunnelRequest, "audience">> {
  if (kind === "http" && options.port !== null) {
    throw usageError("--port is for TCP: HTTP tunnels have a URL");
  }
  if (kind === "tcp" && (options.auth !== null || options.hostHeader !== null)) {
    throw usageError("--auth and --host-header are for HTTP: leave them out");
  }
  return {
    kind,
    name: options.name ?? "",
    basicAuth: options.auth === null ? [] : await readTunnelAuth(options.auth),
    allowCidrs: options.allowCidr,
    port: options.port ?? 0,
    hostHeader: options.hostHeader ?? "",
  };
}

/** Where visitors find it: a URL, or a public port and the line that reaches it by name. */
function publicPlaces({ name, url, port }: OpenedTunnel, target: TunnelTarget, broker: string): string {
  if (target.kind === "http") return url;
  const line = `wasimoff connect ${name} -L 127.0.0.1:${target.port} --url ${broker}`;
  return port === 0 ? line : `tcp://${new URL(broker).hostname}:${port}\n${line}`;
}

function defaultIdentityPath(): string {
  const config = defaultConfigPath((name) => Deno.env.get(name));
  if (config === null) throw usageError("there is no home directory for our key: give --identity");
  return config.replace(/[^/\\]*$/, "tunnel-key.pem");
}
