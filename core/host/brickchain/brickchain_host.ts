/** The Brickchain server of a broker: its clients and its face, wired. */

import { hostname as machineName } from "node:os";
import { hostName } from "../../broker/identity/loopback_rule.ts";
import type { Logger } from "../../log.ts";
import { BrickchainServer } from "../../tunnel/brickchain/brickchain_server.ts";
import type { TunnelDirectory } from "../../tunnel/public_tunnel.ts";
import type { TunnelDomain } from "../../tunnel/tunnel_host_name.ts";
import { BrickchainAudience } from "./brickchain_audience.ts";
import { BrickchainFace } from "./brickchain_face.ts";

export interface BrickchainHostOptions {
  readonly scheme: "http" | "https";
  /** What the broker listens on. */
  readonly hostname: string;
  /** Names in its certificate. */
  readonly certificateNames: readonly string[];
  /** URLs that lead here through others, such as a proxy in front. */
  readonly publicUrls: readonly string[];
  /** Whose sub-domains are tunnels; null for none. */
  readonly domain: TunnelDomain | null;
  /** Tunnels of our own protocol, which come first. */
  readonly directory: TunnelDirectory;
  readonly isProxy: (remoteAddress: string) => boolean;
  /** The address behind trusted proxies. */
  readonly clientAddress: (remoteAddress: string, forwardedFor: string | null) => string;
  /** Of this program. */
  readonly version: string;
  /** Where the broker listens; asked only while it does. */
  readonly port: () => number;
  readonly logger: Logger;
}

export class BrickchainHost {
  readonly face: BrickchainFace;
  readonly #server: BrickchainServer;

  /** Throws `invalid_argument` for a public URL that is none. */
  constructor({ scheme, hostname, certificateNames, publicUrls, port, ...options }: BrickchainHostOptions) {
    const { domain, directory, logger } = options;
    this.#server = new BrickchainServer({
      hostname: (id) => domain === null ? "" : new URL(domain.urlOf(id, { scheme, port: port() })).host,
      now: Date.now,
      newId: () => crypto.randomUUID(),
      logger,
    });
    const names = [hostname, machineName(), ...certificateNames, ...domainName(domain)].map(hostName);
    this.face = new BrickchainFace({
      ...options,
      server: this.#server,
      audience: new BrickchainAudience({ scheme, port, names, publicUrls }),
      isTunnel: (name) => {
        const tunnel = directory.find(name);
        return tunnel !== null && tunnel !== "gone";
      },
    });
  }

  /** Ids that are registered. */
  get size(): number {
    return this.#server.size;
  }

  /** Says goodbye to all clients. */
  close(reason: string): void {
    this.#server.close(reason);
  }
}

/** The host above the tunnels is the broker itself. */
function domainName(domain: TunnelDomain | null): string[] {
  if (domain === null) return [];
  return [new URL(domain.urlOf("x", { scheme: "http", port: 80 })).hostname.slice("x.".length)];
}
