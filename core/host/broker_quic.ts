/** The face of a broker over QUIC: the endpoints of its WebSockets, as sessions of WebTransport. */

import { hostName } from "../broker/identity/loopback_rule.ts";
import { delay } from "../delay.ts";
import { closeCode, WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { MAX_LANES, SUBPROTOCOL_V2 } from "../protocol/limits.ts";
import { openWebTransportConnection } from "../transport/webtransport_connection.ts";
import type { QuicConnection } from "../webtransport/quic_connection.ts";
import type { WebTransportRequest } from "../webtransport/request.ts";
import type { Refusal, WebTransportRoute } from "../webtransport/route.ts";
import { WebTransportServer } from "../webtransport/server.ts";
import type { WebTransportSession } from "../webtransport/session.ts";
import type { Credentials } from "./http_server.ts";
import type { ListenAddress } from "./listen_on.ts";
import { QuicListener } from "./quic_listener.ts";
import { ALPN_HTTP3 } from "./quic_options.ts";
import { quicStreamErrorCode } from "./quic_stream_error.ts";
import type { UpgradeRequest, WebSocketRoute } from "./websocket_routes.ts";

export interface BrokerQuicOptions {
  /** Addresses of this machine; all get the same port, and the first must be free. */
  readonly hostnames: readonly string[];
  /** 0 for any free one. */
  readonly port: number;
  readonly credentials: Credentials;
  /** By path: what is served at `/api/NAME/ws` is served at `/transport/NAME`. */
  readonly routes: Readonly<Record<string, WebSocketRoute>>;
  /** `host[:port]` of pages that the broker itself serves under a name of it. */
  readonly ownPages: (name: string) => string;
  /** Default MAX_CONNECTIONS. */
  readonly maxConnections?: number;
  readonly logger: Logger;
}

/** As many as the HTTP face has; further ones are closed at once. */
const MAX_CONNECTIONS = 20_000;
/** H3_EXCESSIVE_LOAD (RFC 9114 8.1). */
const EXCESSIVE_LOAD = 0x107;

export class BrokerQuic {
  readonly #options: BrokerQuicOptions;
  readonly #server: WebTransportServer;
  readonly #listeners: QuicListener[] = [];
  /** One for each session that is open. */
  readonly #sessions = new Set<WebTransportSession>();
  readonly #stop = new AbortController();
  #connections = 0;

  private constructor(options: BrokerQuicOptions) {
    this.#options = options;
    const routes = Object.entries(options.routes).map(([path, route]) =>
      [path.replace(/^\/api\/(\w+)\/ws$/, "/transport/$1"), this.#route(route)] as const
    );
    this.#server = new WebTransportServer({
      routes: Object.fromEntries(routes),
      limits: { maxWaitingStreams: MAX_LANES }, // QUIC buffers up to 1.25 MB of each, before the peer says who it is
      streamErrorCode: quicStreamErrorCode,
      onError: (error) => {
        if (error instanceof WasimoffError) options.logger.debug("connection broke the protocol", { error });
        else options.logger.error("session failed", { error });
      },
    });
  }

  /** Starts to listen; rejects with `failed_precondition` when the address is taken or not ours. */
  static async listen(options: BrokerQuicOptions): Promise<BrokerQuic> {
    const face = new BrokerQuic(options);
    const [first, ...further] = options.hostnames;
    await face.#listen({ hostname: first!, port: options.port });
    for (const hostname of further) {
      await face.#listen({ hostname, port: face.address.port }).catch((error) => {
        options.logger.debug("QUIC has one address less", { hostname, error }); // no IPv6, for example
      });
    }
    return face;
  }

  /** The first one, with the real port. */
  get address(): ListenAddress {
    return this.#listeners[0]!.address;
  }

  /** Further handshakes get this certificate; sessions that are open stay. */
  setCredentials(credentials: Credentials): void {
    for (const listener of this.#listeners) listener.setCredentials(credentials);
  }

  /** Stops to listen when the sessions, which should have been told goodbye, are gone, or after `graceMs`. */
  async close({ graceMs }: { readonly graceMs: number }): Promise<void> {
    const grace = new AbortController();
    const ends = [...this.#sessions].map(({ closed }) => closed.then(() => {}, () => {}));
    const late = delay(graceMs, grace.signal).catch(() => {}); // ended below
    await Promise.race([Promise.all(ends), late]);
    grace.abort();
    this.#stop.abort(new WasimoffError("unavailable", "broker is shutting down"));
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }

  async #listen(address: ListenAddress): Promise<void> {
    const { credentials, logger } = this.#options;
    const listener = await QuicListener.listen({
      ...address,
      credentials,
      alpnProtocols: [ALPN_HTTP3],
      onConnection: (connection) => void this.#serve(connection),
      logger,
    });
    this.#listeners.push(listener);
  }

  /** Never rejects. */
  async #serve(connection: QuicConnection): Promise<void> {
    const { maxConnections = MAX_CONNECTIONS } = this.#options;
    if (this.#connections >= maxConnections) {
      return connection.close({ closeCode: EXCESSIVE_LOAD, reason: "broker has too many connections" });
    }
    this.#connections++;
    await this.#server.serve(connection, this.#stop.signal);
    this.#connections--;
  }

  #route(route: WebSocketRoute): WebTransportRoute {
    return {
      protocols: [SUBPROTOCOL_V2],
      authorize: async (request, { remoteAddress }) => {
        try {
          checkProtocols(request);
          await route.authorize(this.#upgradeRequest(request, remoteAddress.hostname));
        } catch (error) {
          return refusal(error, request);
        }
      },
      handle: async (session, request) => {
        this.#sessions.add(session);
        session.closed.finally(() => this.#sessions.delete(session)).catch(() => {}); // lost ones end as well
        const connection = await openWebTransportConnection(session, "acceptor");
        route.accept(connection, this.#upgradeRequest(request, session.remoteAddress.hostname));
      },
    };
  }

  /**
   * As if it were for the HTTP face under the same name: a page of ours has that face's Origin, and the rules about
   * Origin and Host then are the same ones.
   */
  #upgradeRequest(
    { authority, path, query, headers }: WebTransportRequest,
    remoteAddress: string,
  ): UpgradeRequest {
    const all = new Headers(headers);
    all.set("host", this.#options.ownPages(hostName(authority)));
    return {
      remoteAddress,
      headers: all,
      url: new URL(path + query, "http://localhost"),
      protocol: SUBPROTOCOL_V2,
    };
  }
}

/** Who offers nothing may be a browser that cannot; the hello has the version. */
function checkProtocols({ protocols }: WebTransportRequest): void {
  if (protocols.length === 0 || protocols.includes(SUBPROTOCOL_V2)) return;
  throw new WasimoffError("invalid_argument", `supported protocols: [${SUBPROTOCOL_V2}]`);
}

/** Pages see no HTTP status, only how a session was closed. */
function refusal(error: unknown, { origin }: WebTransportRequest): Refusal {
  if (origin === null || !(error instanceof WasimoffError)) throw error;
  return { closeCode: closeCode(error.code), reason: error.message };
}
