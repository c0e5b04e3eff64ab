/** Connects to a WebSocket server. */

import type { IncomingMessage } from "node:http";
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocket } from "ws";
import { type Code, WasimoffError } from "../errors.ts";
import type { Connection } from "../session/connection.ts";
import { WEBSOCKET_OPTIONS, WebSocketConnection } from "./websocket_connection.ts";

export interface DialWebSocketOptions {
  /** Subprotocols in the order of preference; at least one. */
  readonly protocols: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the attempt; the open connection does not depend on it. */
  readonly signal?: AbortSignal;
}

export interface DialedWebSocket {
  readonly connection: Connection;
  /** The subprotocol that the server chose. */
  readonly protocol: string;
}

/** From the first packet to the server's answer. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** What it means when the server answers with something other than an upgrade. */
const CODE_OF_STATUS: Readonly<Record<number, Code>> = {
  400: "invalid_argument",
  401: "unauthenticated",
  403: "permission_denied",
  404: "unimplemented",
  426: "unimplemented",
  429: "resource_exhausted",
};

/** Dials `url` (ws: or wss:). Rejects with a WasimoffError whose message names the URL. */
export async function dialWebSocket(url: string, options: DialWebSocketOptions): Promise<DialedWebSocket> {
  const { protocols, headers = {}, signal } = options;
  if (signal?.aborted) throw WasimoffError.from(signal.reason, "canceled");
  const socket = new WebSocket(url, [...protocols], {
    ...WEBSOCKET_OPTIONS,
    headers: { ...headers },
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    followRedirects: false,
    ...(needsMask(new URL(url)) ? {} : { generateMask: () => {} }),
  });
  const { promise, resolve, reject } = Promise.withResolvers<DialedWebSocket>();
  const onAbort = () => {
    reject(WasimoffError.from(signal!.reason, "canceled"));
    socket.terminate();
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  socket.on("upgrade", (response) => {
    socket.on("open", () => {
      const connection = new WebSocketConnection(socket, response.socket);
      resolve({ connection, protocol: socket.protocol });
    });
    const chosen = response.headers["sec-websocket-protocol"];
    if (chosen !== undefined && protocols.includes(chosen)) return;
    reject(
      new WasimoffError("unimplemented", `"${url}" speaks none of our protocols: ${protocols.join(", ")}`),
    );
  });
  socket.on("unexpected-response", (request, response) => {
    reject(refusal(url, response));
    request.destroy();
  });
  // The listener stays: ws reports the end of a terminated attempt, too, and an unheard error would throw.
  socket.on("error", (error) => reject(unreachable(url, error)));
  try {
    return await promise;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

/**
 * Masking keeps proxies from mistaking a payload for a request. None can look into TLS and there is none on
 * loopback: there the key stays zero, which spares both sides a pass over every byte.
 */
function needsMask({ protocol, hostname }: URL): boolean {
  return protocol === "ws:" && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

function unreachable(url: string, cause: NodeJS.ErrnoException): WasimoffError {
  const reason = cause.code === "ECONNREFUSED"
    ? "nothing listens there, start one with: wasimoff broker"
    : cause.message || cause.code || "no reason given";
  return new WasimoffError("unavailable", `cannot reach "${url}": ${reason}`, { cause });
}

function refusal(url: string, { statusCode = 0 }: IncomingMessage): WasimoffError {
  const code = CODE_OF_STATUS[statusCode] ?? "unavailable";
  return new WasimoffError(code, `"${url}" refused the connection: HTTP status ${statusCode}`);
}
