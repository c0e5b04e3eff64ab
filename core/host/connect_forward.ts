/** A local port whose connections go through a tunnel: `wasimoff connect NAME -L ADDR`. */

import { createServer, type Server, type Socket } from "node:net";
import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { joinDuplexes } from "../tunnel/join_duplexes.ts";
import type { VisitorSession } from "./connect_tunnels.ts";
import { type ListenAddress, listenOn } from "./listen_on.ts";
import { TCP_OPTIONS, tcpDuplex } from "./tcp_duplex.ts";

export interface ConnectForwardOptions {
  /** Name of the tunnel. */
  readonly name: string;
  readonly listen: ListenAddress;
  readonly session: VisitorSession;
  readonly logger: Logger;
}

export class ConnectForward implements AsyncDisposable {
  readonly #options: ConnectForwardOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #closed = new AbortController();

  private constructor(options: ConnectForwardOptions) {
    this.#options = options;
    this.#server = createServer({ ...TCP_OPTIONS }, (socket) => this.#onConnection(socket));
  }

  /** Starts to listen; rejects as `listenOn` does. */
  static async start(options: ConnectForwardOptions): Promise<ConnectForward> {
    const forward = new ConnectForward(options);
    await listenOn(forward.#server, options.listen);
    return forward;
  }

  /** Where it listens, with the real port. */
  get address(): ListenAddress {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new TypeError("forward does not listen");
    return { hostname: address.address, port: address.port };
  }

  /** Stops to listen and resets the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new WasimoffError("canceled", "connect is over"));
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #onConnection(socket: Socket): Promise<void> {
    const { name, session, logger } = this.#options;
    const { signal } = this.#closed;
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    const local = tcpDuplex(socket);
    const refuse = (error: unknown) => {
      const cause = WasimoffError.from(error);
      if (!signal.aborted) logger.warn(`no connection to "${name}": ${cause.message}`);
      local.writable.abort(cause);
    };
    try {
      const { duplex, reached } = await (await session.get()).connect(name, signal);
      reached.catch(refuse);
      await joinDuplexes(local, duplex, signal);
    } catch (error) {
      refuse(error);
    }
  }
}
