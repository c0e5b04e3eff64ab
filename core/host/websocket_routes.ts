/** The WebSocket paths of an HTTP server: who may upgrade, and to which subprotocol. */

import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Buffer } from "node:buffer";
// @ts-types="npm:@types/ws@8.18.2"
import { type WebSocket, WebSocketServer } from "ws";
import { closeCode, WasimoffError } from "../errors.ts";
import { errorResponse } from "../http_error.ts";
import type { Logger } from "../log.ts";
import { type EncodingV1, SUBPROTOCOL_V1_BINARY, SUBPROTOCOL_V1_JSON } from "../protocol/envelope_v1.ts";
import type { Connection } from "../session/connection.ts";
import { checkRequest, type RequestLimits } from "./request_checks.ts";
import { UnfinishedMessages } from "./unfinished_messages.ts";
import { WEBSOCKET_OPTIONS, WebSocketConnection } from "./websocket_connection.ts";
import { MESSAGE_WEBSOCKET_OPTIONS, WebSocketMessages } from "./websocket_messages.ts";

/** What is known of a client that asks for a WebSocket. */
export interface UpgradeRequest {
  /** Address of the TCP peer, without the port. */
  readonly remoteAddress: string;
  readonly headers: Headers;
  /** As the client wrote it: path and query. */
  readonly url: URL;
  /** The subprotocol that it will speak; null when it offers none of ours, and will be told so. */
  readonly protocol: string | null;
}

export interface WebSocketRoute {
  /** Subprotocols in our order of preference. */
  readonly protocols: readonly string[];
  /** Throws a WasimoffError for a client that may not connect; its code becomes the HTTP status. */
  authorize(request: UpgradeRequest): void | Promise<void>;
  /** Takes an open connection over. */
  accept(connection: Connection, request: UpgradeRequest): void;
  /** Takes over one that speaks wasimoff_v1; to be there when `protocols` offers that. */
  acceptV1?(pipe: WebSocketMessages, request: UpgradeRequest & { readonly encoding: EncodingV1 }): void;
}

const ENCODINGS: Readonly<Record<string, EncodingV1>> = {
  [SUBPROTOCOL_V1_BINARY]: "binary",
  [SUBPROTOCOL_V1_JSON]: "json",
};

export interface WebSocketRoutesOptions {
  readonly limits: RequestLimits;
  readonly logger: Logger;
  /** The address that the server listens on. */
  readonly ownAddress: () => string;
}

export class WebSocketRoutes {
  readonly #routes: ReadonlyMap<string, WebSocketRoute>;
  readonly #options: WebSocketRoutesOptions;
  // ws knows only the request here; the choice was made before and is left there.
  readonly #handleProtocols = (_offered: unknown, request: IncomingMessage) =>
    this.#chosen.get(request) ?? false;
  readonly #frames = new WebSocketServer({
    ...WEBSOCKET_OPTIONS,
    noServer: true,
    handleProtocols: this.#handleProtocols,
  });
  readonly #messages = new WebSocketServer({
    ...MESSAGE_WEBSOCKET_OPTIONS,
    noServer: true,
    handleProtocols: this.#handleProtocols,
  });
  readonly #chosen = new WeakMap<IncomingMessage, string>();
  readonly #unfinished = new UnfinishedMessages();

  constructor(routes: Readonly<Record<string, WebSocketRoute>>, options: WebSocketRoutesOptions) {
    this.#routes = new Map(Object.entries(routes));
    this.#options = options;
  }

  /** Answers an upgrade request. Never rejects: whatever goes wrong becomes an HTTP error for this client. */
  async upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const onError = () => socket.destroy(); // a client that leaves while it is authorized
    socket.on("error", onError);
    try {
      checkRequest(incoming, this.#options.limits);
      const { url, ...known } = upgradeRequest(incoming, this.#options.ownAddress());
      const route = this.#routes.get(url.pathname);
      if (route === undefined) {
        throw new WasimoffError("not_found", `no WebSocket is served at "${url.pathname}"`);
      }
      const protocol = choose(route.protocols, known.headers.get("sec-websocket-protocol"));
      const request = { ...known, url, protocol };
      await route.authorize(request);
      if (socket.destroyed) return;
      if (protocol !== null) this.#chosen.set(incoming, protocol);
      const encoding = ENCODINGS[protocol ?? ""];
      const server = encoding === undefined ? this.#frames : this.#messages;
      server.handleUpgrade(incoming, socket, head, (webSocket) => {
        if (protocol === null) refuseProtocol(webSocket, route.protocols);
        else if (encoding === undefined) route.accept(new WebSocketConnection(webSocket, socket), request);
        else {
          const pipe = new WebSocketMessages(webSocket, socket, this.#unfinished);
          route.acceptV1!(pipe, { ...request, encoding });
        }
      });
    } catch (error) {
      if (!(error instanceof WasimoffError)) this.#options.logger.error("upgrade failed", { error });
      await refuse(socket, errorResponse(error));
    } finally {
      socket.off("error", onError);
    }
  }
}

/**
 * Deno 2.6, on which binaries are tried offline, does not say who asks for an upgrade. Our own address is a safe guess
 * for the loopback rule: only this machine reaches a server that listens on loopback.
 */
function upgradeRequest(incoming: IncomingMessage, ownAddress: string): Omit<UpgradeRequest, "protocol"> {
  const headers = new Headers();
  const { rawHeaders } = incoming;
  for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i]!, rawHeaders[i + 1]!);
  const url = URL.parse(incoming.url ?? "", "http://localhost");
  if (url === null) throw new WasimoffError("invalid_argument", "request target is no URL");
  return { remoteAddress: incoming.socket.remoteAddress ?? ownAddress, headers, url };
}

function choose(ours: readonly string[], offered: string | null): string | null {
  const theirs = new Set(offered?.split(",").map((protocol) => protocol.trim()));
  return ours.find((protocol) => theirs.has(protocol)) ?? null;
}

/** As the existing broker does it: the upgrade succeeds, and the reason comes in a close frame (wasimoff-v1 3.2). */
function refuseProtocol(socket: WebSocket, ours: readonly string[]): void {
  socket.on("error", () => socket.terminate());
  socket.close(closeCode("invalid_argument"), `supported protocols: [${ours.join(" ")}]`);
}

/** Writes a whole HTTP response by hand: after an upgrade request node offers none. */
async function refuse(socket: Duplex, response: Response): Promise<void> {
  if (socket.destroyed) return;
  const body = await response.text();
  const headers = new Headers(response.headers);
  headers.set("connection", "close");
  headers.set("content-length", String(new TextEncoder().encode(body).length));
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.on("error", () => socket.destroy());
  socket.once("finish", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? "Refused"}\r\n${lines}\r\n${body}`,
  );
}
