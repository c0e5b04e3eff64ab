/** Streams of bytes over WebSockets for other programs: what wasmws offers, with the platform's shapes (wasmws.md). */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Buffer } from "node:buffer";
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocketServer } from "ws";
import { WasimoffError } from "../errors.ts";
import { type Logger, silent } from "../log.ts";
import { MAX_TIMER_MS } from "../protocol/limits.ts";
import { ByteConn, type ByteConnAddress } from "../tunnel/byte_conn.ts";
import { type HttpServer, serveHttp } from "./http_server.ts";
import { UnfinishedMessages } from "./unfinished_messages.ts";
import { upgradeAnswer } from "./upgrade_answer.ts";
import { openWebSocket } from "./websocket_dialer.ts";
import { STREAM_WEBSOCKET_OPTIONS, WebSocketStream } from "./websocket_stream.ts";

/** Connections that wait to be accepted; further ones get 503. */
const MAX_WAITING = 64;
/** Of all connections of a listener together, messages that are not whole. */
const MAX_UNFINISHED_BYTES = 64 * 1024 * 1024;

export interface DialOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** When the attempt must have succeeded; the open connection does not depend on it. */
  readonly deadline?: Date;
  readonly signal?: AbortSignal;
}

/** Dials a WebSocket that carries bytes, as the raw end of a tunnel; rejects with a WasimoffError that names the URL. */
export async function dial(
  url: string,
  { headers = {}, deadline, signal }: DialOptions = {},
): Promise<ByteConn> {
  const late = new AbortController();
  const expire = () => late.abort(new WasimoffError("deadline_exceeded", `"${url}" was not reached in time`));
  const leftMs = deadline === undefined ? Infinity : deadline.getTime() - Date.now();
  if (leftMs <= 0) expire();
  const timer = leftMs > 0 && leftMs < MAX_TIMER_MS ? setTimeout(expire, leftMs) : undefined;
  try {
    return await openWebSocket(url, {
      protocols: [],
      headers,
      ...STREAM_WEBSOCKET_OPTIONS,
      adopt: (socket, transport) =>
        new ByteConn(
          new WebSocketStream(socket, transport, new UnfinishedMessages()),
          addressesOf(transport as unknown as Socket),
        ),
      signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
    });
  } finally {
    clearTimeout(timer);
  }
}

export interface ListenOptions {
  readonly hostname: string;
  /** 0 for any free one. */
  readonly port: number;
  /** The only path that is served; any when absent. */
  readonly path?: string;
  /** Whether a page of this origin may connect; the default lets only pages of the same host in. */
  readonly allowsOrigin?: (origin: string, host: string) => boolean;
  readonly logger?: Logger;
}

/** Listens for WebSockets that carry bytes; rejects with `failed_precondition` for an address that cannot be used. */
export async function listen(options: ListenOptions): Promise<ByteListener> {
  return await ByteListener.listen(options);
}

/** Has the shape of `Deno.Listener`. */
export class ByteListener implements Disposable, AsyncIterable<ByteConn> {
  readonly #options: ListenOptions;
  readonly #sockets = new WebSocketServer({ ...STREAM_WEBSOCKET_OPTIONS, noServer: true });
  readonly #unfinished = new UnfinishedMessages(MAX_UNFINISHED_BYTES);
  readonly #waiting: ByteConn[] = [];
  readonly #acceptors: PromiseWithResolvers<ByteConn>[] = [];
  #server: HttpServer | null = null;
  #closed = false;
  readonly #finished = Promise.withResolvers<void>();

  private constructor(options: ListenOptions) {
    this.#options = options;
  }

  static async listen(options: ListenOptions): Promise<ByteListener> {
    const listener = new ByteListener(options);
    listener.#server = await serveHttp({
      hostname: options.hostname,
      port: options.port,
      interceptor: {
        takes: () => true,
        request: (_, outgoing) => refuse(outgoing, 426, "a WebSocket is expected here\n"),
        upgrade: (incoming, socket, head) => listener.#upgrade(incoming, socket, head),
      },
      fetch: () => new Response(null, { status: 404 }),
      logger: options.logger ?? silent,
    });
    return listener;
  }

  get addr(): ByteConnAddress {
    const { hostname, port } = this.#server!.address;
    return { transport: "tcp", hostname, port };
  }

  /** Resolves when the listener is closed and its last connection has ended. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /** The next connection; rejects when the listener is closed. */
  accept(): Promise<ByteConn> {
    if (this.#closed) return Promise.reject(closed());
    const conn = this.#waiting.shift();
    if (conn !== undefined) return Promise.resolve(conn);
    const acceptor = Promise.withResolvers<ByteConn>();
    this.#acceptors.push(acceptor);
    return acceptor.promise;
  }

  /** Takes no more; connections that were accepted go on, for GRACE_MS at most. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const conn of this.#waiting.splice(0)) conn.close();
    for (const { reject } of this.#acceptors.splice(0)) reject(closed());
    void this.#server!.close({ graceMs: GRACE_MS }).then(this.#finished.resolve);
  }

  ref(): void {}

  unref(): void {}

  [Symbol.dispose](): void {
    this.close();
  }

  /** Every connection, until the listener is closed. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<ByteConn> {
    while (!this.#closed) {
      const conn = await this.accept().catch(() => null);
      if (conn !== null) yield conn;
    }
  }

  #upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { path, allowsOrigin = isSameHost } = this.#options;
    const { host = "", origin } = incoming.headers;
    const answer = (status: number, text: string) => refuse(upgradeAnswer(incoming, socket), status, text);
    if (path !== undefined && incoming.url?.split("?", 1)[0] !== path) return answer(404, "no such path\n");
    if (origin !== undefined && !allowsOrigin(origin, host)) {
      return answer(403, "this page may not connect\n");
    }
    if (this.#closed || this.#waiting.length >= MAX_WAITING) {
      return answer(503, "too many connections wait\n");
    }
    this.#sockets.handleUpgrade(incoming, socket, head, (webSocket) => {
      const stream = new WebSocketStream(webSocket, socket, this.#unfinished);
      const conn = new ByteConn(stream, addressesOf(incoming.socket));
      const acceptor = this.#acceptors.shift();
      if (acceptor === undefined) this.#waiting.push(conn);
      else acceptor.resolve(conn);
    });
  }
}

/** Time for connections that end with their listener. */
const GRACE_MS = 60_000;

function isSameHost(origin: string, host: string): boolean {
  return URL.parse(origin)?.host === host.toLowerCase();
}

function refuse(outgoing: ServerResponse, status: number, text: string): void {
  outgoing.writeHead(status, { "content-type": "text/plain; charset=utf-8", "content-length": text.length });
  outgoing.end(text);
}

function addressesOf(socket: Socket) {
  const address = (hostname = "", port = 0): ByteConnAddress => ({ transport: "tcp", hostname, port });
  const { address: hostname, port } = socket.address() as AddressInfo;
  return { local: address(hostname, port), remote: address(socket.remoteAddress, socket.remotePort) };
}

function closed(): WasimoffError {
  return new WasimoffError("canceled", "listener is closed");
}
