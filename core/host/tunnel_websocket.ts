/** The raw end of tunnels: `/api/tunnel/NAME/ws`, bytes in binary messages, as wasmws has them (wasmws.md). */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocketServer } from "ws";
import { type Code, httpStatus, WasimoffError } from "../errors.ts";
import { endDuplex, joinDuplexes } from "../tunnel/join_duplexes.ts";
import type { PublicTunnel, TunnelDirectory } from "../tunnel/public_tunnel.ts";
import type { HttpInterceptor } from "./http_server.ts";
import { UnfinishedMessages } from "./unfinished_messages.ts";
import { upgradeAnswer } from "./upgrade_answer.ts";
import { STREAM_WEBSOCKET_OPTIONS, WebSocketStream } from "./websocket_stream.ts";

export interface TunnelWebSocketOptions {
  readonly directory: TunnelDirectory;
  /** The address behind trusted proxies. */
  readonly clientAddress: (remoteAddress: string, forwardedFor: string | null) => string;
}

const PATH = /^\/api\/tunnel\/([a-z0-9-]{1,63})\/ws$/;
/** Until the service behind the tunnel is reached. */
const OPEN_TIMEOUT_MS = 10_000;
/** Messages of all visitors that have begun to arrive: anybody may send them. */
const MAX_UNFINISHED_BYTES = 128 * 1024 * 1024;

/** Pages of any origin may connect: the tunnel's own rules say who may. Its service is reached before the answer. */
export class TunnelWebSocket implements HttpInterceptor {
  readonly #options: TunnelWebSocketOptions;
  readonly #sockets = new WebSocketServer({
    ...STREAM_WEBSOCKET_OPTIONS,
    noServer: true,
    // Programs that ask for one are told that they have it; the bytes are the same.
    handleProtocols: (offered) => offered.has("binary") ? "binary" : [...offered][0] ?? false,
  });
  readonly #unfinished = new UnfinishedMessages(MAX_UNFINISHED_BYTES);
  readonly #closed = new AbortController();

  constructor(options: TunnelWebSocketOptions) {
    this.#options = options;
  }

  takes(incoming: IncomingMessage): boolean {
    return nameOf(incoming) !== null;
  }

  request(_incoming: IncomingMessage, outgoing: ServerResponse): void {
    refuse(outgoing, new WasimoffError("invalid_argument", "a WebSocket is expected here"));
  }

  upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    void this.#connect(incoming, socket, head);
  }

  /** Ends all connections. */
  close(): void {
    this.#closed.abort(new WasimoffError("unavailable", "broker is shutting down"));
  }

  async #connect(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const left = new AbortController();
    const onClose = () => left.abort(new WasimoffError("canceled", "visitor has left"));
    socket.on("error", () => socket.destroy());
    socket.once("close", onClose);
    try {
      const address = this.#addressOf(incoming);
      const tunnel = this.#admit(incoming, address);
      const signal = AbortSignal.any([
        left.signal,
        this.#closed.signal,
        AbortSignal.timeout(OPEN_TIMEOUT_MS),
      ]);
      const service = await tunnel.open({ address, port: incoming.socket.remotePort ?? 0 }, signal);
      socket.off("close", onClose);
      let joined = false;
      this.#sockets.handleUpgrade(incoming, socket, head, (webSocket) => {
        joined = true;
        const visitor = new WebSocketStream(webSocket, socket, this.#unfinished);
        void joinDuplexes(visitor, service, this.#closed.signal);
      });
      // A handshake that was none, or a visitor that has just left.
      if (!joined) endDuplex(service, new WasimoffError("canceled", "visitor has left"));
    } catch (error) {
      if (!socket.destroyed) {
        refuse(upgradeAnswer(incoming, socket), WasimoffError.from(error, "unavailable"));
      }
    }
  }

  #admit(incoming: IncomingMessage, address: string): PublicTunnel {
    const name = nameOf(incoming)!;
    const tunnel = this.#options.directory.find(name);
    if (tunnel === null) throw new WasimoffError("not_found", `nobody has a tunnel "${name}" here`);
    if (tunnel === "gone") {
      throw new WasimoffError("unavailable", `client of tunnel "${name}" is away: try again later`);
    }
    // Raw bytes would go past the passwords of the reverse proxy, and forge what it says about visitors.
    if (tunnel.kind === "http") {
      throw new WasimoffError("failed_precondition", `tunnel "${name}" speaks HTTP: open its URL`);
    }
    if (!tunnel.allows(address)) {
      throw new WasimoffError("permission_denied", `tunnel "${name}" does not let your address in`);
    }
    return tunnel;
  }

  #addressOf({ socket, headers }: IncomingMessage): string {
    const forwardedFor = headers["x-forwarded-for"];
    return this.#options.clientAddress(
      socket.remoteAddress ?? "",
      forwardedFor === undefined ? null : String(forwardedFor),
    );
  }
}

function nameOf({ url = "" }: IncomingMessage): string | null {
  return PATH.exec(url.split("?", 1)[0]!)?.[1] ?? null;
}

/** What is true of a service behind us is said as a gateway says it. */
const GATEWAY_STATUS: Readonly<Partial<Record<Code, number>>> = {
  unavailable: 502,
  deadline_exceeded: 504,
  aborted: 502,
};

function refuse(outgoing: ServerResponse, { code, message }: WasimoffError): void {
  const text = `${message}\n`;
  outgoing.writeHead(GATEWAY_STATUS[code] ?? httpStatus(code), {
    "content-type": "text/plain; charset=utf-8",
    "content-length": new TextEncoder().encode(text).length,
  });
  outgoing.end(text);
}
