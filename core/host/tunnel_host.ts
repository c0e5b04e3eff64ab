/** The tunnels of a broker: their registry, their names and their public ports, wired. */

import { addressGroup } from "../broker/identity/address_group.ts";
import { serveTunnels, type TunnelFaces, type TunnelPeer } from "../broker/endpoint_v2_tunnel.ts";
import type { OwnHosts } from "../broker/identity/own_hosts.ts";
import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Session } from "../session/session.ts";
import { TunnelNames, UNSAVED_TUNNEL_NAMES } from "../tunnel/tunnel_names.ts";
import { TunnelRegistry } from "../tunnel/tunnel_registry.ts";
import { type PortRange, TcpPorts } from "./tcp_ports.ts";
import { TunnelNamesFile } from "./tunnel_names_file.ts";

export interface TunnelHostOptions {
  /** A directory where names are remembered, or null. */
  readonly storage: string | null;
  /** Where public ports listen. */
  readonly hostname: string;
  /** null when there are none. */
  readonly tcpPorts: PortRange | null;
  /** The public URL of the HTTP tunnel of a name; null where HTTP is not served. */
  readonly httpUrl: ((name: string) => string) | null;
  /** Hosts for which registrations are taken; null for whichever a client has asked for. */
  readonly ownHosts: OwnHosts | null;
  readonly logger: Logger;
}

export class TunnelHost {
  readonly registry: TunnelRegistry;
  readonly #ports: TcpPorts;
  readonly #faces: TunnelFaces;
  readonly #ownHosts: OwnHosts | null;
  readonly #logger: Logger;
  readonly #sessions = new Set<Session>();
  #closed: WasimoffError | null = null;

  private constructor(names: TunnelNames, options: TunnelHostOptions) {
    const { hostname, tcpPorts, httpUrl, ownHosts, logger } = options;
    this.registry = new TunnelRegistry({ names, groupOf: addressGroup });
    const ports = this.#ports = new TcpPorts({ hostname, range: tcpPorts, logger });
    this.#ownHosts = ownHosts;
    this.#logger = logger;
    this.#faces = {
      httpUrl: httpUrl ?? refuseHttp,
      checkPort: (name, port) => ports.check(name, port),
      openPort: (tunnel, port) => ports.open(tunnel, port),
    };
  }

  /** Rejects with `failed_precondition` for names that cannot be read. */
  static async open(options: TunnelHostOptions): Promise<TunnelHost> {
    const { storage } = options;
    const names = storage === null ? UNSAVED_TUNNEL_NAMES : new TunnelNamesFile(storage);
    return new TunnelHost(await TunnelNames.open(names), options);
  }

  /** Public TCP ports that are open. */
  get openPorts(): number {
    return this.#ports.size;
  }

  /** Serves a session until its end. */
  serve(session: Session, peer: TunnelPeer): void {
    if (this.#closed !== null) return session.close(this.#closed);
    this.#sessions.add(session);
    session.signal.addEventListener("abort", () => this.#sessions.delete(session), { once: true });
    const shared = { registry: this.registry, faces: this.#faces, ownHosts: this.#ownHosts };
    serveTunnels(session, peer, { ...shared, logger: this.#logger });
  }

  /** Says goodbye to clients and visitors, now and when they come back, and closes the public ports. */
  close(): void {
    this.#closed ??= new WasimoffError("unavailable", "broker is shutting down");
    for (const session of this.#sessions) session.close(this.#closed);
    this.#ports.close();
  }
}

function refuseHttp(): never {
  throw new WasimoffError(
    "failed_precondition",
    "broker serves no HTTP tunnels: start it with --tunnel-domain",
  );
}
