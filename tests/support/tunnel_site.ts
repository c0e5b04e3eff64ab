/** A broker's face for tunnels with services behind it, without sessions: what tests of the reverse proxy need. */

import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createRawServer, type Server as RawServer, type Socket } from "node:net";
import { TrustedProxies } from "../../core/broker/identity/trusted_proxies.ts";
import type { HttpServer } from "../../core/host/http_server.ts";
import { dialTcp } from "../../core/host/tcp_duplex.ts";
import { TunnelHttp } from "../../core/host/tunnel_http.ts";
import type { PublicTunnel } from "../../core/tunnel/public_tunnel.ts";
import { TunnelDomain } from "../../core/tunnel/tunnel_host_name.ts";
import { TestNet } from "./open_server.ts";

export interface SiteOptions {
  readonly trustedProxies?: readonly string[];
  readonly silenceMs?: number;
  readonly stalledMs?: number;
}

/** Listens as a broker whose tunnels lie under "localhost". */
export class TunnelSite implements AsyncDisposable {
  readonly tunnels = new Map<string, PublicTunnel | "gone">();
  readonly #net = new TestNet();
  readonly #services: (Server | RawServer)[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #atEnd: (() => void)[] = [];
  #server: HttpServer | undefined;

  static async open({ trustedProxies = [], silenceMs, stalledMs }: SiteOptions = {}): Promise<TunnelSite> {
    const site = new TunnelSite();
    const proxies = new TrustedProxies(trustedProxies);
    const interceptor = new TunnelHttp({
      directory: { find: (name) => site.tunnels.get(name) ?? null },
      domain: new TunnelDomain("localhost"),
      scheme: "http",
      isProxy: proxies.has.bind(proxies),
      clientAddress: proxies.clientAddress.bind(proxies),
      ...(silenceMs === undefined ? {} : { silenceMs }),
      ...(stalledMs === undefined ? {} : { stalledMs }),
    });
    site.#server = await site.#net.serve({ interceptor, fetch: () => new Response("broker") });
    return site;
  }

  get port(): number {
    return this.#server!.address.port;
  }

  /** Connections that visitors have open. */
  get visitors(): number {
    return this.#server!.connections;
  }

  /** Connections to services that are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** A tunnel to a node:http service. */
  async http(name: string, listener: RequestListener, tunnel: Partial<PublicTunnel> = {}): Promise<Server> {
    const server = createServer(listener);
    this.add(name, await this.#listen(server), tunnel);
    return server;
  }

  /** A tunnel to a service that gets plain connections. */
  async raw(
    name: string,
    accept: (socket: Socket) => void,
    tunnel: Partial<PublicTunnel> = {},
  ): Promise<number> {
    const port = await this.#listen(createRawServer({ allowHalfOpen: true, noDelay: true }, accept));
    this.add(name, port, tunnel);
    return port;
  }

  /** A tunnel to a port of this machine. */
  add(name: string, port: number, tunnel: Partial<PublicTunnel> = {}): PublicTunnel {
    const added: PublicTunnel = {
      name,
      kind: "http",
      basicAuth: new Set(),
      hostHeader: null,
      counters: { streams: 0, activeStreams: 0, requests: 0, bytesIn: 0, bytesOut: 0 },
      allows: () => true,
      open: (_visitor, signal) => {
        added.counters.streams++;
        return dialTcp("127.0.0.1", port, signal);
      },
      ...tunnel,
    };
    this.tunnels.set(name, added);
    return added;
  }

  /** Called when the site closes, for connections that are not its own. */
  atEnd(action: () => void): void {
    this.#atEnd.push(action);
  }

  async #listen(server: Server | RawServer): Promise<number> {
    this.#services.push(server);
    server.on("connection", (socket: Socket) => {
      socket.on("error", () => {}); // visitors hang up
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as { port: number }).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server!.close();
    for (const action of this.#atEnd) action();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#services.map((server) => new Promise((resolve) => server.close(resolve))));
    await this.#net.assertClosed();
  }
}
