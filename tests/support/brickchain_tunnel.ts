/** A tunnel of ours at any Brickchain server, and a service behind it. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
// @ts-types="npm:@types/ws@8.18.2"
import { type WebSocket, WebSocketServer } from "ws";
import {
  type BrickchainTunnelOptions,
  runBrickchainTunnel,
} from "../../core/host/brickchain/brickchain_tunnel.ts";
import { COMMON_TRUST } from "../../core/host/server_trust.ts";
import type { WasimoffError } from "../../core/errors.ts";
import { brickchainEndpoint } from "../../core/tunnel/brickchain/brickchain_endpoint.ts";
import { generateTunnelKey, tunnelIdentity } from "../../core/tunnel/tunnel_key.ts";
import { within } from "./within.ts";

/** The service: what it was asked is in the order of its requests. */
export class BrickchainService implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(
    answer: (request: IncomingMessage, response: ServerResponse) => void,
    webSocket?: (socket: WebSocket, request: IncomingMessage) => void,
  ): Promise<BrickchainService> {
    const server = createServer(answer);
    if (webSocket !== undefined) {
      const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false });
      server.on("upgrade", (request, socket, head) => {
        if (request.url!.startsWith("/refused")) return socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
        upgrades.handleUpgrade(request, socket, head, (open) => webSocket(open, request));
      });
    }
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new BrickchainService(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export class TestBrickchainTunnel implements AsyncDisposable {
  readonly urls: string[] = [];
  readonly lost: WasimoffError[] = [];
  readonly ended: Promise<void>;
  readonly #stop = new AbortController();
  #changed = Promise.withResolvers<void>();

  private constructor(options: Omit<BrickchainTunnelOptions, "opened" | "lost">) {
    this.ended = runBrickchainTunnel({
      ...options,
      opened: (url) => {
        this.urls.push(url);
        this.#changed.resolve();
        this.#changed = Promise.withResolvers();
      },
      lost: (cause) => this.lost.push(cause),
    }, this.#stop.signal);
    this.ended.catch(() => {}); // the test looks at it, or at nothing
  }

  static async start(
    serverUrl: string,
    port: number,
    options: Partial<BrickchainTunnelOptions> & { readonly hostHeader?: string } = {},
  ): Promise<TestBrickchainTunnel> {
    return new TestBrickchainTunnel({
      endpoint: brickchainEndpoint(`brickchain+${serverUrl}`)!,
      trust: COMMON_TRUST,
      identity: await tunnelIdentity(await generateTunnelKey()),
      session: "",
      service: { hostname: "localhost", port, hostHeader: options.hostHeader ?? null },
      ...options,
    });
  }

  /** The public URL, after it was opened so often. */
  async opened(times = 1): Promise<string> {
    while (this.urls.length < times) {
      await within(Promise.race([this.#changed.promise, this.ended]), `opening ${times} of the tunnel`);
    }
    return this.urls[times - 1]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.ended.catch(() => {});
  }
}
