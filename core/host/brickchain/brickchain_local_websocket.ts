/** A WebSocket at the local service of a Brickchain tunnel. */

// @ts-types="npm:@types/ws@8.18.2"
import { WebSocket } from "ws";
import { WasimoffError } from "../../errors.ts";
import { MAX_BODY_BYTES } from "../../tunnel/brickchain/brickchain_document.ts";
import type { BrickchainRelay } from "../../tunnel/brickchain/brickchain_relay.ts";
import { BrickchainSocket } from "./brickchain_socket.ts";
import { WEBSOCKET_OPTIONS } from "../websocket_connection.ts";

export interface LocalWebSocketOptions {
  readonly address: string;
  readonly port: number;
  /** Path and query. */
  readonly target: string;
  /** Names and values in turn, with the subprotocols of the visitor. */
  readonly headers: readonly string[];
  readonly relay: BrickchainRelay;
  readonly signal: AbortSignal;
}

/** From the first packet to the service's answer; the server of the tunnel waits somewhat longer. */
const HANDSHAKE_TIMEOUT_MS = 25_000;

/** Resolves when it is open, and paused; rejects with `unavailable` when the service says no. */
export async function openLocalWebSocket(options: LocalWebSocketOptions): Promise<BrickchainSocket> {
  const { address, port, target, relay, signal } = options;
  const { headers, protocols } = splitProtocols(options.headers);
  const host = address.includes(":") ? `[${address}]` : address;
  const socket = new WebSocket(`ws://${host}:${port}${target}`, protocols, {
    ...WEBSOCKET_OPTIONS,
    maxPayload: MAX_BODY_BYTES,
    headers,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    followRedirects: false,
  });
  const { promise, resolve, reject } = Promise.withResolvers<BrickchainSocket>();
  const onAbort = () => {
    reject(WasimoffError.from(signal.reason, "canceled"));
    socket.terminate();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  socket.on("upgrade", (response) => {
    socket.on("open", () => {
      const relayed = new BrickchainSocket(socket, response.socket);
      relayed.join(relay);
      resolve(relayed);
    });
  });
  socket.on("unexpected-response", (request, { statusCode }) => {
    reject(new WasimoffError("unavailable", `service refused the WebSocket: HTTP status ${statusCode}`));
    request.destroy();
  });
  // The listener stays: ws reports the end of a terminated attempt, too, and an unheard error would throw.
  socket.on("error", (cause) => {
    reject(new WasimoffError("unavailable", `service cannot be reached: ${cause.message}`, { cause }));
  });
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** What ws wants apart. */
function splitProtocols(raw: readonly string[]): { headers: Record<string, string>; protocols: string[] } {
  const headers: Record<string, string> = {};
  let protocols: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]!.toLowerCase() !== "sec-websocket-protocol") headers[raw[i]!] = raw[i + 1]!;
    else protocols = raw[i + 1]!.split(",").map((name) => name.trim()).filter((name) => name !== "");
  }
  return { headers, protocols };
}
