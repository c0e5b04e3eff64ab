/** One WebSocket that travels in ws-message documents; the same on both sides of the tunnel (brickchain.md 2). */

import {
  type BrickchainDocument,
  encodeDocument,
  MAX_BODY_BYTES,
  type WsMessage,
} from "./brickchain_document.ts";
import { bodyToBytes, bytesToBody } from "./brickchain_message_body.ts";
import type { BrickchainLane } from "./brickchain_lane.ts";

/** The WebSocket of a visitor, or that of the local service. */
export interface RelayedSocket {
  /** Dropped when it has ended. */
  send(message: Uint8Array | string): void;
  /** Bytes that its peer has not read. */
  readonly buffered: number;
  pause(): void;
  resume(): void;
  close(code: number, reason: string): void;
}

/** Messages that may wait for a socket that is not open yet, in characters. */
export const MAX_WAITING_CHARACTERS = 1024 * 1024;
/** A reader that leaves more than this unread is cut off: others share the control connection with it. */
export const MAX_UNREAD_BYTES = 4 * 1024 * 1024;
/** A whole frame, as existing programs count. */
export const MAX_MESSAGE_CHARACTERS = MAX_BODY_BYTES;

const TEXT = 1;
const BINARY = 2;
const CLOSE_NORMAL = 1000;
const CLOSE_BAD_DATA = 1007;
const CLOSE_TOO_LARGE = 1009;
const CLOSE_BUSY = 1013;

/** Order is kept both ways. Its end is told once to each side that has not ended it. */
export class BrickchainRelay {
  readonly #id: string;
  readonly #lane: BrickchainLane;
  /** Called once. */
  readonly #ended: () => void;
  #socket: RelayedSocket | null = null;
  #waiting: WsMessage[] = [];
  #waitingCharacters = 0;
  #opened = false;
  #paused = false;
  #over = false;

  constructor(id: string, lane: BrickchainLane, ended: () => void) {
    this.#id = id;
    this.#lane = lane;
    this.#ended = ended;
  }

  get over(): boolean {
    return this.#over;
  }

  /** Gives it its socket, which is paused, and the socket what has come before. */
  attach(socket: RelayedSocket): void {
    if (this.#over) return socket.close(CLOSE_NORMAL, "");
    this.#socket = socket;
    for (const message of this.#waiting.splice(0)) this.fromTunnel(message);
  }

  /** Both sides are ready: what the socket says counts from now on. */
  open(): void {
    if (this.#opened) return;
    this.#opened = true;
    this.#socket?.resume();
  }

  fromTunnel(message: WsMessage): void {
    if (this.#over) return;
    if (this.#socket === null) {
      this.#waitingCharacters += message.body.length;
      if (this.#waitingCharacters > MAX_WAITING_CHARACTERS) {
        return this.end(CLOSE_BUSY, "too much came too early");
      }
      this.#waiting.push(message);
      return;
    }
    const { messageType, body } = message;
    if (messageType === BINARY) this.#socket.send(bodyToBytes(body));
    else if (messageType === TEXT) this.#socket.send(body.toWellFormed());
    else return this.end(CLOSE_BAD_DATA, "message is neither text nor binary");
    if (this.#socket.buffered > MAX_UNREAD_BYTES) this.end(CLOSE_BUSY, "messages are not read");
  }

  fromSocket(message: Uint8Array | string): void {
    if (this.#over) return;
    const text = typeof message === "string";
    const body = text ? message : bytesToBody(message);
    const document = { kind: "ws-message", id: this.#id, messageType: text ? TEXT : BINARY, body } as const;
    const frame = encodeDocument(document, this.#lane.now());
    if (frame.length > MAX_MESSAGE_CHARACTERS) {
      return this.end(CLOSE_TOO_LARGE, "message is larger than the tunnel carries");
    }
    this.#lane.send(frame);
    if (this.#lane.full && !this.#paused) void this.#pause();
  }

  /** The socket has ended by itself. */
  socketClosed(): void {
    if (this.#over) return;
    this.#socket = null;
    this.end(CLOSE_NORMAL, "");
  }

  /** Ends it from here: both sides are told. */
  end(code: number, reason: string): void {
    if (this.#over) return;
    const document: BrickchainDocument = { kind: "ws-teardown", id: this.#id };
    this.#lane.send(encodeDocument(document, this.#lane.now()));
    this.finish(code, reason);
  }

  /** Ends it after the tunnel's other side has, or the tunnel itself. */
  finish(code: number, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting = [];
    this.#socket?.close(code, reason);
    this.#ended();
  }

  async #pause(): Promise<void> {
    this.#paused = true;
    this.#socket?.pause();
    await this.#lane.drained();
    this.#paused = false;
    this.#socket?.resume();
  }
}
