/** What a broker serves to the public beside its own API, by rules of its own: tunnels, Brickchain, the rendezvous. */

import { hostname as machineName, networkInterfaces } from "node:os";
import { OwnHosts } from "../broker/identity/own_hosts.ts";
import { isLoopbackName } from "../broker/identity/loopback_rule.ts";
import type { Logger } from "../log.ts";
import { TunnelDomain } from "../tunnel/tunnel_host_name.ts";
import type { TunnelRegistry } from "../tunnel/tunnel_registry.ts";
import type { AccessRules } from "./access_rules.ts";
import { BrickchainHost } from "./brickchain/brickchain_host.ts";
import type { Credentials, HttpInterceptor } from "./http_server.ts";
import { firstTaker } from "./interceptors.ts";
import type { ListenAddress } from "./listen_on.ts";
import { RendezvousHost, type RendezvousOptions } from "./rendezvous_host.ts";
import type { PortRange } from "./tcp_ports.ts";
import { TunnelHost } from "./tunnel_host.ts";
import { TunnelHttp } from "./tunnel_http.ts";
import { TunnelWebSocket } from "./tunnel_websocket.ts";

export interface PublicFacesOptions {
  readonly listen: ListenAddress;
  readonly scheme: "http" | "https";
  /** A directory where names of tunnels are remembered, or null. */
  readonly storage: string | null;
  /** Public ports for TCP tunnels; null for none. */
  readonly tcpPorts: PortRange | null;
  /** The domain whose sub-domains are HTTP tunnels; null for "localhost" on loopback, else none. */
  readonly tunnelDomain: string | null;
  /** URLs that lead here through others; clients of tunnels sign for one of them, if there are any. */
  readonly publicUrls: readonly string[];
  /** Names in the certificate of HTTPS. */
  readonly certificateNames: readonly string[];
  /** null for none. */
  readonly rendezvous: RendezvousOptions | null;
  /** For listeners of their own. */
  readonly credentials: Credentials | null;
  readonly access: Pick<AccessRules, "clientAddress" | "isProxy">;
  /** Of this program. */
  readonly version: string;
  /** Where the broker listens; asked only while it does. */
  readonly port: () => number;
  readonly logger: Logger;
}

export class PublicFaces {
  readonly tunnels: TunnelHost;
  /** Takes requests that are theirs before the broker's own paths are looked at. */
  readonly interceptor: HttpInterceptor;
  readonly #brickchain: BrickchainHost;
  readonly #webSocket: TunnelWebSocket;
  readonly #rendezvous: RendezvousHost | null;

  private constructor(tunnels: TunnelHost, rendezvous: RendezvousHost | null, options: PublicFacesOptions) {
    const { scheme, access, logger } = options;
    const directory = tunnels.registry;
    const domain = tunnelDomain(options);
    this.tunnels = tunnels;
    this.#rendezvous = rendezvous;
    this.#webSocket = new TunnelWebSocket({ ...access, directory });
    this.#brickchain = new BrickchainHost({
      ...{ scheme, domain, directory, logger, ...access },
      hostname: options.listen.hostname,
      certificateNames: options.certificateNames,
      publicUrls: options.publicUrls,
      version: options.version,
      port: options.port,
    });
    // A host of a tunnel comes before any path.
    this.interceptor = firstTaker([
      this.#brickchain.face,
      ...(domain === null ? [] : [new TunnelHttp({ ...access, directory, domain, scheme })]),
      this.#webSocket,
      ...(rendezvous === null || rendezvous.interceptor === null ? [] : [rendezvous.interceptor]),
    ]);
  }

  /** Rejects with `failed_precondition` for an address, a port or a file that cannot be used. */
  static async open(options: PublicFacesOptions): Promise<PublicFaces> {
    const { scheme, storage, listen, tcpPorts, access, credentials, logger } = options;
    const domain = tunnelDomain(options);
    const httpUrl = domain && ((name: string) => domain.urlOf(name, { scheme, port: options.port() }));
    const ownHosts = ownHostsOf(options);
    const { hostname } = listen;
    const tunnels = await TunnelHost.open({ storage, hostname, tcpPorts, httpUrl, ownHosts, logger });
    const rendezvous = options.rendezvous &&
      await RendezvousHost.start({ ...options.rendezvous, ...access, credentials, logger });
    return new PublicFaces(tunnels, rendezvous, options);
  }

  get registry(): TunnelRegistry {
    return this.tunnels.registry;
  }

  /** Where the rendezvous has a listener of its own, with the real port; null for nowhere. */
  get rendezvousAddress(): ListenAddress | null {
    return this.#rendezvous?.address ?? null;
  }

  /** Further handshakes of listeners of their own get this certificate. */
  setCredentials(credentials: Credentials): void {
    this.#rendezvous?.setCredentials(credentials);
  }

  /** Ends all that is open. */
  async close(): Promise<void> {
    this.tunnels.close();
    this.#brickchain.close("broker is shutting down");
    this.#webSocket.close();
    await this.#rendezvous?.close();
  }
}

/** Browsers take all names below "localhost" for this machine, which is all that a loopback broker serves. */
function tunnelDomain({ tunnelDomain, listen }: PublicFacesOptions): TunnelDomain | null {
  if (tunnelDomain !== null) return new TunnelDomain(tunnelDomain);
  return isLoopbackName(listen.hostname) ? new TunnelDomain("localhost") : null;
}

/** null where the operator has not said by which URLs the broker is known: no name can be told from another then. */
function ownHostsOf({ publicUrls, certificateNames, listen }: PublicFacesOptions): OwnHosts | null {
  if (publicUrls.length === 0) return null;
  const addresses = Object.values(networkInterfaces()).flatMap((all = []) =>
    all.map(({ address }) => address)
  );
  const hosts = publicUrls.flatMap((url) => URL.parse(url)?.hostname ?? []);
  return new OwnHosts([...hosts, ...certificateNames, ...addresses, listen.hostname, machineName()]);
}
