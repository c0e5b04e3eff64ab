/** A WebSocket of npm ws, of the public or of a local service, as an end of a Brickchain relay. */

import type { Buffer } from "node:buffer";
// @ts-types="npm:@types/ws@8.18.2"
import type { RawData, WebSocket } from "ws";
import { cutText } from "../../cut_text.ts";
import { Heartbeat } from "../../session/heartbeat.ts";
import type { BrickchainRelay, RelayedSocket } from "../../tunnel/brickchain/brickchain_relay.ts";
import { MAX_CLOSE_REASON_BYTES } from "../websocket_close.ts";
import type { MessageTransport } from "../websocket_messages.ts";

/** Looks whether its peer still lives by control pings, but not while it is paused and cannot hear the answers. */
export class BrickchainSocket implements RelayedSocket {
  readonly #socket: WebSocket;
  readonly #heartbeat: Heartbeat;
  #relay: BrickchainRelay | null = null;

  /** Takes over an open socket, in the same turn in which it opened, and pauses it. */
  constructor(socket: WebSocket, transport: MessageTransport) {
    this.#socket = socket;
    this.#heartbeat = new Heartbeat({
      sendHeartbeat: () => this.#ping(),
      suspected: () => {},
      silent: () => socket.terminate(),
    });
    socket.binaryType = "nodebuffer";
    socket.pause();
    transport.prependListener("data", () => this.#heartbeat.heard());
    socket.on("message", (data: RawData, isBinary) => {
      this.#relay?.fromSocket(isBinary ? data as Uint8Array : (data as Buffer).toString());
    });
    socket.on("error", () => socket.terminate()); // `close` follows, which counts
    socket.on("close", () => {
      this.#heartbeat.stop();
      this.#relay?.socketClosed();
    });
  }

  /** Gives it the relay that hears it. */
  join(relay: BrickchainRelay): void {
    this.#relay = relay;
    if (this.#socket.readyState === this.#socket.CLOSED) relay.socketClosed();
  }

  get buffered(): number {
    return this.#socket.bufferedAmount;
  }

  send(message: Uint8Array | string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(message, { binary: typeof message !== "string" });
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, cutText(reason, MAX_CLOSE_REASON_BYTES));
    this.#socket.resume(); // the peer's answer may be behind messages that nobody wants any more
  }

  #ping(): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
    if (this.#socket.isPaused) this.#heartbeat.heard();
  }
}
