/** Connects to a WebSocket server. */

import type { IncomingMessage } from "node:http";
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocket } from "ws";
import { type Code, WasimoffError } from "../errors.ts";
import type { Connection } from "../session/connection.ts";
import { openPinnedSocket } from "./pinned_socket.ts";
import { COMMON_TRUST, type ServerTrust, TRUST_ADVICE, trustedCas } from "./server_trust.ts";
import { WEBSOCKET_OPTIONS, WebSocketConnection } from "./websocket_connection.ts";
import type { DataSource } from "./websocket_frame_reader.ts";
import { maskingOf } from "./websocket_masking.ts";
import type { MessageTransport } from "./websocket_messages.ts";

export interface DialWebSocketOptions {
  /** Subprotocols in the order of preference; none for servers that know none. */
  readonly protocols: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Of servers at wss: URLs; COMMON_TRUST when absent. */
  readonly trust?: ServerTrust;
  /** Ends the attempt; the open connection does not depend on it. */
  readonly signal?: AbortSignal;
}

/** The socket beneath a WebSocket, for both kinds of connections. */
export type SocketTransport = MessageTransport & DataSource;

export interface OpenWebSocketOptions<T> extends DialWebSocketOptions {
  /** Of one message; larger ones end the connection before they are buffered. */
  readonly maxPayload: number;
  /** Takes the socket over in the same turn in which it opened. `protocol` is what the server chose. */
  readonly adopt: (socket: WebSocket, transport: SocketTransport, protocol: string) => T;
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
export function dialWebSocket(url: string, options: DialWebSocketOptions): Promise<DialedWebSocket> {
  return openWebSocket(url, {
    ...options,
    maxPayload: WEBSOCKET_OPTIONS.maxPayload,
    adopt: (socket, transport, protocol) => ({
      connection: new WebSocketConnection(socket, transport),
      protocol,
    }),
  });
}

/** Dials as `dialWebSocket` does, for who wants something else than a connection of frames. */
export async function openWebSocket<T>(url: string, options: OpenWebSocketOptions<T>): Promise<T> {
  const { protocols, headers = {}, trust = COMMON_TRUST, maxPayload, adopt, signal } = options;
  if (signal?.aborted) throw WasimoffError.from(signal.reason, "canceled");
  const tls = await tlsOptions(url, trust, signal);
  const socket = new WebSocket(url, [...protocols], {
    ...WEBSOCKET_OPTIONS,
    ...tls,
    maxPayload,
    headers: { ...headers },
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    followRedirects: false,
    ...(maskingOf(url) === "random" ? {} : { generateMask: () => {} }),
  });
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const onAbort = () => {
    reject(WasimoffError.from(signal!.reason, "canceled"));
    socket.terminate();
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  socket.on("upgrade", (response) => {
    socket.on("open", () => resolve(adopt(socket, transportOf(socket, response), socket.protocol)));
    if (protocols.length === 0) return;
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

/** How ws makes its socket. Who has a hash must have shown it before the socket is told our token. */
async function tlsOptions(url: string, trust: ServerTrust, signal: AbortSignal | undefined) {
  if (!url.startsWith("wss:")) return {};
  const { certHashes } = trust;
  if (certHashes.length === 0) return trustedCas(trust);
  try {
    const socket = await openPinnedSocket(new URL(url), { certHashes, ...(signal && { signal }) });
    return { createConnection: () => socket };
  } catch (error) {
    throw error instanceof WasimoffError ? error : unreachable(url, error as NodeJS.ErrnoException);
  }
}

/** What ws reads from and writes to. Deno 2.6, on which binaries are tried offline, gives another object with the response. */
function transportOf(socket: WebSocket, { socket: responded }: IncomingMessage): SocketTransport {
  return (socket as unknown as { readonly _socket?: SocketTransport })._socket ?? responded;
}

function unreachable(url: string, cause: NodeJS.ErrnoException): WasimoffError {
  const reason = cause.code === "ECONNREFUSED"
    ? "nothing listens there, start one with: wasimoff broker"
    : isAboutCertificate(cause)
    ? `its certificate is not trusted (${cause.message}), ${TRUST_ADVICE}`
    : cause.message || cause.code || "no reason given";
  return new WasimoffError("unavailable", `cannot reach "${url}": ${reason}`, { cause });
}

/** Codes of node:tls, which has them from OpenSSL. */
function isAboutCertificate({ code = "" }: NodeJS.ErrnoException): boolean {
  return /CERT|VERIFY_LEAF_SIGNATURE/.test(code);
}

function refusal(url: string, { statusCode = 0 }: IncomingMessage): WasimoffError {
  const code = CODE_OF_STATUS[statusCode] ?? "unavailable";
  return new WasimoffError(code, `"${url}" refused the connection: HTTP status ${statusCode}`);
}
