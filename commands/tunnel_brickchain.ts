/** `wasimoff tunnel http` at an existing server of the Brickchain tunneling proxy. */

import { runBrickchainTunnel } from "../core/host/brickchain/brickchain_tunnel.ts";
import type { BrickchainEndpoint } from "../core/tunnel/brickchain/brickchain_endpoint.ts";
import type { TunnelIdentity } from "../core/tunnel/tunnel_key.ts";
import { nameBroker } from "./broker_access.ts";
import type { Call } from "./command.ts";
import { printLine } from "./stdout.ts";
import type { TUNNEL_FLAGS } from "./tunnel_flags.ts";
import type { TunnelTarget } from "./tunnel_target.ts";
import { usageError } from "./usage_error.ts";

export interface BrickchainPublication {
  readonly endpoint: BrickchainEndpoint;
  readonly target: TunnelTarget;
  readonly identity: TunnelIdentity;
}

/** Runs until the signal; `--name` asks for another tunnel of the same key, which servers of Brickchain do not name. */
export async function publishAtBrickchain(
  { options, sources, operands, log, signal }: Call<typeof TUNNEL_FLAGS>,
  { endpoint, target, identity }: BrickchainPublication,
): Promise<number> {
  if (target.kind === "tcp") {
    throw usageError("Brickchain servers carry HTTP only: give http, or the URL of a wasimoff broker");
  }
  if (options.auth !== null || options.allowCidr.length > 0) {
    throw usageError("Brickchain servers let everybody in: leave --auth and --allow-cidr out");
  }
  if (options.inspect !== null) {
    throw usageError("--inspect needs a wasimoff broker: leave it out for Brickchain servers");
  }
  const { access } = await nameBroker({ options: { ...options, url: endpoint.origin }, sources }, log);
  let printed = "";
  await runBrickchainTunnel({
    endpoint,
    trust: access.trust,
    identity,
    session: options.name ?? "",
    service: { hostname: target.hostname, port: target.port, hostHeader: options.hostHeader },
    opened: (publicUrl) => {
      log.info(`tunnel to ${operands[1]} is open`);
      if (publicUrl === printed) return;
      printed = publicUrl;
      void printLine(publicUrl);
    },
    lost: (cause) => log.warn(`tunnel is lost, opening it again: ${cause.message}`),
  }, signal);
  return 0;
}
