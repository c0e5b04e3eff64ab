/** The one public face of a server: HTTP/1.1 and WebSockets on one port. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer, Server as SecureServer } from "node:https";
import type { Buffer } from "node:buffer";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Logger } from "../log.ts";
import { type ListenAddress, listenOn } from "./listen_on.ts";
import { type FetchHandler, requestHandler } from "./request_handler.ts";
import { type WebSocketRoute, WebSocketRoutes } from "./websocket_routes.ts";

export interface HttpLimits {
  /** A body that announces more is refused before it is read; handlers count what comes without a length. */
  readonly bodyBytes: number;
  /** Time from the connection, or from the first byte of a further request, to the end of its headers. */
  readonly headersTimeoutMs: number;
  /** How long a connection may wait for its next request. */
  readonly idleTimeoutMs: number;
  /** Further connections are closed at once. */
  readonly maxConnections: number;
}

/** 1 GiB of body; 20,000 connections need as many descriptors and about 400 MB. */
export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  bodyBytes: 1024 ** 3,
  headersTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
  maxConnections: 20_000,
};

/** Request line and headers; more is answered with 431. */
const MAX_HEADER_BYTES = 16 * 1024;
/** Slow headers are looked for this often at most, so that they end close to their timeout. */
const MAX_CHECK_INTERVAL_MS = 1_000;

/** A certificate chain and its key, both PEM. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

/** Takes requests away before the server looks at their paths, as those for the hosts of tunnels. */
export interface HttpInterceptor {
  /** Decides by the headers alone; what it takes is checked by nobody else. */
  takes(incoming: IncomingMessage): boolean;
  request(incoming: IncomingMessage, outgoing: ServerResponse): void;
  upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export interface HttpServerOptions {
  readonly hostname: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly fetch: FetchHandler;
  /** By path. */
  readonly webSocketRoutes?: Readonly<Record<string, WebSocketRoute>>;
  readonly interceptor?: HttpInterceptor;
  /** To serve HTTPS and wss; without them plain HTTP. */
  readonly credentials?: Credentials;
  readonly limits?: Partial<HttpLimits>;
  readonly logger: Logger;
}

export interface CloseOptions {
  /** How long requests in flight and open WebSockets may go on; 0 cuts them at once. */
  readonly graceMs?: number;
}

export class HttpServer implements AsyncDisposable {
  readonly #server: Server;
  /** Upgraded sockets included, which node forgets. */
  readonly #sockets = new Set<Socket>();
  readonly #closed = Promise.withResolvers<void>();

  /** Takes over a server that listens. */
  constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server;
    this.#sockets = sockets;
    server.once("close", () => this.#closed.resolve());
  }

  get address(): ListenAddress {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new TypeError("server does not listen on TCP");
    return { hostname: address.address, port: address.port };
  }

  /** Open TCP connections. */
  get connections(): number {
    return this.#sockets.size;
  }

  get listening(): boolean {
    return this.#server.listening;
  }

  /** Further handshakes get this certificate; connections that are open stay. Only for a server of HTTPS. */
  setCredentials(credentials: Credentials): void {
    if (!(this.#server instanceof SecureServer)) throw new TypeError("server does not speak TLS");
    this.#server.setSecureContext({ ...credentials });
  }

  /** Takes no more connections, and resolves when the last one is gone. Sessions should say goodbye before. */
  async close({ graceMs = 0 }: CloseOptions = {}): Promise<void> {
    if (this.#server.listening) this.#server.close();
    this.#server.closeIdleConnections();
    const cut = () => this.#sockets.forEach((socket) => socket.destroy());
    if (graceMs === 0) cut();
    const timer = setTimeout(cut, graceMs);
    await this.#closed.promise.finally(() => clearTimeout(timer));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Starts to listen. Rejects with `failed_precondition` when the address is taken or not ours. Handlers are given
 * requests whose Host is unique and whose body is announced within the limits; what they throw becomes a JSON
 * error and, unless it is a WasimoffError, one line in the log.
 */
export async function serveHttp(options: HttpServerOptions): Promise<HttpServer> {
  const { hostname, port, fetch, logger, interceptor, credentials, webSocketRoutes = {} } = options;
  const limits = { ...DEFAULT_HTTP_LIMITS, ...options.limits };
  const sockets = new Set<Socket>();
  const settings = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: limits.headersTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    connectionsCheckingInterval: Math.min(MAX_CHECK_INTERVAL_MS, limits.headersTimeoutMs),
    requestTimeout: 0, // an upload of 1 GiB may take long
    // HTTP/2 within HTTP/1.1, which Java asks for, is not to be had; its requests, with their bodies, are ordinary ones.
    shouldUpgradeCallback: ({ headers }: IncomingMessage) => !/\bh2c\b/i.test(headers.upgrade ?? ""),
  };
  const server = credentials === undefined
    ? createServer(settings)
    : createSecureServer({ ...settings, ...credentials });
  server.on("connection", (socket) => {
    // Node's own maxConnections is not heeded here.
    if (sockets.size >= limits.maxConnections) return void socket.destroy();
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const handle = requestHandler({ fetch, limits, logger });
  server.on("request", (incoming, outgoing) => {
    if (interceptor?.takes(incoming)) interceptor.request(incoming, outgoing);
    else handle(incoming, outgoing);
  });
  server.on("checkContinue", (incoming, outgoing) => {
    if (interceptor?.takes(incoming)) return interceptor.request(incoming, outgoing);
    // Who asks first is told of a refusal without sending the body.
    if (Number(incoming.headers["content-length"] ?? 0) <= limits.bodyBytes) outgoing.writeContinue();
    handle(incoming, outgoing);
  });
  const ownAddress = () => (server.address() as AddressInfo | null)?.address ?? "";
  const routes = new WebSocketRoutes(webSocketRoutes, { limits, logger, ownAddress });
  server.on("upgrade", (incoming, socket, head) => {
    if (interceptor?.takes(incoming)) interceptor.upgrade(incoming, socket, head);
    else void routes.upgrade(incoming, socket, head);
  });
  await listenOn(server, { hostname, port });
  server.on("error", (error) => logger.error("cannot take a connection", { error }));
  return new HttpServer(server, sockets);
}
