/** A session of tunnels at the broker: clients that open tunnels, and visitors that go through them. */

import { codeNumber, WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { ConnectTunnel, OpenTunnel } from "../protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { MAX_TUNNEL_FAILURES } from "../protocol/limits.ts";
import { Messenger, type Method, type ResultInit } from "../protocol/messenger.ts";
import type { Session } from "../session/session.ts";
import { endDuplex, joinDuplexes } from "../tunnel/join_duplexes.ts";
import type { Visitor } from "../tunnel/public_tunnel.ts";
import type { RegisteredTunnel, TunnelLink } from "../tunnel/registered_tunnel.ts";
import { verifyRegistration } from "../tunnel/registration.ts";
import { acceptStreams, type OpeningStream, requestStreams } from "../tunnel/stream_request.ts";
import { TunnelNonces } from "../tunnel/tunnel_nonces.ts";
import type { TunnelRegistry } from "../tunnel/tunnel_registry.ts";
import type { OwnHosts } from "./identity/own_hosts.ts";
import { checkOpenTunnel, tunnelSpec } from "./tunnel_request.ts";

/** Where visitors from outside come in. */
export interface TunnelFaces {
  /** The public URL of an HTTP tunnel; throws `failed_precondition` where HTTP is not served. */
  httpUrl(name: string): string;
  /** Throws when the port cannot be given to the tunnel of this name; 0 asks for any, or none where there are none. */
  checkPort(name: string, port: number): void;
  /** Listens for visitors of a TCP tunnel until it ends; resolves with the port, 0 for none. */
  openPort(tunnel: RegisteredTunnel, port: number): Promise<number>;
}

export interface TunnelEndpointOptions {
  readonly registry: TunnelRegistry;
  readonly faces: TunnelFaces;
  /** Hosts for which registrations are taken; null for whichever a client has asked for. */
  readonly ownHosts: OwnHosts | null;
  readonly logger: Logger;
}

/** Who is at the other end, from the request that has opened the session. */
export interface TunnelPeer {
  /** host[:port] that it asked for. */
  readonly host: string;
  /** Behind trusted proxies. */
  readonly address: string;
  /** Digest of its token, empty for none. */
  readonly token: string;
}

/** Serves one session until its end. */
export function serveTunnels(session: Session, peer: TunnelPeer, options: TunnelEndpointOptions): void {
  new TunnelEndpoint(session, peer, options);
}

class TunnelEndpoint {
  readonly #session: Session;
  readonly #peer: TunnelPeer;
  readonly #options: TunnelEndpointOptions;
  readonly #messenger: Messenger;
  readonly #nonces = new TunnelNonces({
    now: () => performance.now(),
    fillRandom: (bytes) => void crypto.getRandomValues(bytes),
  });
  /** One for each process; there is more than one only if the client makes them up. */
  #link: TunnelLink | null = null;
  #suspect = false;
  #failures = 0;

  constructor(session: Session, peer: TunnelPeer, options: TunnelEndpointOptions) {
    this.#session = session;
    this.#peer = peer;
    this.#options = options;
    session.watch({ attached: () => this.#suspect = false, suspected: (suspect) => this.#suspect = suspect });
    this.#messenger = new Messenger(session, {
      request: (method, { signal }) => this.#answer(method, signal),
      event: () => {}, // there are none of clients
    });
  }

  // Not async: streams that a request names are accepted before their first frame comes.
  #answer(method: Method, signal: AbortSignal): Promise<ResultInit> {
    switch (method.case) {
      case "getTunnelNonce":
        return Promise.resolve({ case: "tunnelNonce", value: { nonce: this.#nonces.issue() } });
      case "openTunnel":
        return this.#openTunnel(method.value);
      case "connectTunnel":
        return this.#connect(method.value, signal);
      default:
        throw new WasimoffError("unimplemented", "only tunnels are served here");
    }
  }

  async #openTunnel(request: OpenTunnel): Promise<ResultInit> {
    try {
      this.#nonces.take(request.nonce);
      this.#checkHost();
      checkOpenTunnel(request, this.#peer.host);
      const spec = tunnelSpec(request, await verifyRegistration(request));
      return { case: "tunnelOpened", value: await this.#register(spec, request) };
    } catch (error) {
      this.#failures++;
      const cause = WasimoffError.from(error, "internal");
      if (this.#failures >= MAX_TUNNEL_FAILURES) this.#session.close(cause);
      throw cause;
    }
  }

  /** A server that was sent a registration could relay it to us, with its own name as Host. */
  #checkHost(): void {
    const { ownHosts } = this.#options;
    if (ownHosts === null || ownHosts.has(this.#peer)) return;
    const message = "registration is for another broker: its host is none of --public-url";
    throw new WasimoffError("permission_denied", message);
  }

  async #register(spec: ReturnType<typeof tunnelSpec>, { port, instance }: OpenTunnel) {
    const { registry, faces, logger } = this.#options;
    const url = spec.kind === "http" ? faces.httpUrl(spec.name) : "";
    faces.checkPort(spec.name, port);
    const link = this.#link ??= this.#newLink(instance.toHex());
    const tunnel = await registry.open(spec, { token: this.#peer.token, link });
    try {
      const opened = spec.kind === "http" ? 0 : await faces.openPort(tunnel, port);
      logger.info("tunnel is open", { tunnel: spec.name, kind: spec.kind, port: opened });
      return { tunnel: tunnel.id, name: spec.name, url, port: opened };
    } catch (error) {
      registry.drop(tunnel, WasimoffError.from(error));
      throw error;
    }
  }

  #newLink(instance: string): TunnelLink {
    const session = this.#session;
    const isLive = () => session.connected && !this.#suspect;
    return {
      signal: session.signal,
      get live() {
        return isLive();
      },
      instance,
      openStream: (tunnel, visitor, signal) => this.#openStream(tunnel, visitor, signal),
      tunnelClosed: (tunnel, { code, message }) => {
        const error = { code: codeNumber(code), message };
        this.#messenger.emit({ case: "tunnelClosed", value: { tunnel, error } });
      },
    };
  }

  #openStream(tunnel: string, { address, port }: Visitor, signal: AbortSignal): Promise<OpeningStream> {
    return requestStreams(this.#session, this.#messenger, {
      method: (upstream, downstream) => ({
        case: "openTunnelStream",
        value: { tunnel, address, port, upstream, downstream },
      }),
      signal,
    });
  }

  async #connect(request: ConnectTunnel, signal: AbortSignal): Promise<ResultInit> {
    const visitor = acceptStreams(this.#session, request);
    try {
      const tunnel = this.#find(request.name);
      const { duplex, reached } = await tunnel.begin({ address: this.#peer.address, port: 0 }, signal);
      void joinDuplexes(visitor, duplex, this.#session.signal);
      await reached;
      return { case: "tunnelStreamOpened", value: {} };
    } catch (error) {
      endDuplex(visitor, WasimoffError.from(error));
      throw error;
    }
  }

  #find(name: string): RegisteredTunnel {
    const tunnel = this.#options.registry.find(name);
    if (tunnel === null) {
      throw new WasimoffError("not_found", 'no tunnel has this name: see its "wasimoff tunnel"');
    }
    if (tunnel === "gone") {
      throw new WasimoffError("unavailable", "client of this tunnel is away: try again later");
    }
    if (tunnel.kind === "http") {
      throw new WasimoffError("failed_precondition", "tunnel speaks HTTP: open its URL");
    }
    if (!tunnel.allows(this.#peer.address)) {
      throw new WasimoffError("permission_denied", "tunnel does not let your address in");
    }
    return tunnel;
  }
}
