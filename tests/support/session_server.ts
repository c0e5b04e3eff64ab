/** Sessions of wasimoff_v2 over real sockets: a WebSocket and WebTransport beside each other, to resume on either. */

import { WasimoffError } from "../../core/errors.ts";
import { dialWebTransport } from "../../core/host/dial_webtransport.ts";
import { dialWebSocket } from "../../core/host/websocket_dialer.ts";
import { type HttpServer, serveHttp } from "../../core/host/http_server.ts";
import { silent } from "../../core/log.ts";
import { SUBPROTOCOL_V2 } from "../../core/protocol/limits.ts";
import { SessionAcceptor } from "../../core/session/acceptor.ts";
import type { Connection } from "../../core/session/connection.ts";
import { openSession } from "../../core/session/dialer.ts";
import type { Session } from "../../core/session/session.ts";
import { openWebTransportConnection } from "../../core/transport/webtransport_connection.ts";
import { openWebTransportPair, type WebTransportPair } from "./webtransport_pair.ts";

export type Carrier = "websocket" | "webtransport";

export interface SessionServerAddress {
  readonly webSocket: string;
  readonly webTransport: string;
  readonly certHash: string;
}

const LEASE_MS = 30_000;
const PATH = "/session";

/** A connection that says hello next. */
async function dial(
  address: SessionServerAddress,
  carrier: Carrier,
  signal: AbortSignal,
): Promise<Connection> {
  if (carrier === "websocket") {
    return (await dialWebSocket(address.webSocket, { protocols: [SUBPROTOCOL_V2], signal })).connection;
  }
  const certHashes = [Uint8Array.fromHex(address.certHash)];
  const transport = await dialWebTransport(address.webTransport, { certHashes, signal });
  return await openWebTransportConnection(transport, "dialer");
}

/** A session whose connections are those that `carriers` names in turn, the last one again and again. */
export async function openClient(
  address: SessionServerAddress,
  ...carriers: readonly Carrier[]
): Promise<{ session: Session; connections: Connection[] }> {
  const connections: Connection[] = [];
  const session = await openSession({
    dial: async (signal) => {
      const connection = await dial(address, carriers[connections.length] ?? carriers.at(-1)!, signal);
      connections.push(connection);
      return connection;
    },
    ...{ token: "", agent: "test", logger: silent, signal: AbortSignal.timeout(10_000) },
  });
  return { session, connections };
}

export class SessionServer implements AsyncDisposable {
  readonly acceptor = new SessionAcceptor({ agent: "test", capabilities: [], logger: silent });
  readonly #opened: (session: Session) => void;
  #http!: HttpServer;
  #quic!: WebTransportPair;

  /** Serves on free ports; `opened` gets each new session. */
  static async open(opened: (session: Session) => void): Promise<SessionServer> {
    const server = new SessionServer(opened);
    await server.#listen();
    return server;
  }

  private constructor(opened: (session: Session) => void) {
    this.#opened = opened;
  }

  get address(): SessionServerAddress {
    return {
      webSocket: `ws://127.0.0.1:${this.#http.address.port}${PATH}`,
      webTransport: this.#quic.origin + PATH,
      certHash: this.#quic.hash.toHex(),
    };
  }

  /** Nobody is reached over QUIC any more, without a word. */
  async stopQuic(): Promise<void> {
    await this.#quic.listener.close();
  }

  async #listen(): Promise<void> {
    const accept = (connection: Connection) =>
      this.acceptor.accept(connection, {
        ...{ endpoint: "client", leaseMs: LEASE_MS, peer: null, authenticate: () => {} },
        opened: this.#opened,
      });
    this.#http = await serveHttp({
      ...{ hostname: "127.0.0.1", port: 0, logger: silent },
      fetch: () => new Response(null, { status: 404 }),
      webSocketRoutes: {
        [PATH]: { protocols: [SUBPROTOCOL_V2], authorize: () => {}, accept: (ws) => void accept(ws) },
      },
    });
    this.#quic = await openWebTransportPair({
      [PATH]: {
        handle: async (transport) => await accept(await openWebTransportConnection(transport, "acceptor")),
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.acceptor.close(new WasimoffError("canceled", "test is over"));
    await this.#quic[Symbol.asyncDispose]();
    await this.#http.close();
  }
}
