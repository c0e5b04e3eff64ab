/** Writes binary messages of a WebSocket: small ones in one piece, those of one turn of the event loop together. */

// @ts-types="npm:@types/ws@8.18.2"
import type { WebSocket } from "ws";
import { joinChunks } from "../join_chunks.ts";
import { type Corkable, WriteBatch } from "./write_batch.ts";

/** What a WebSocket of ws writes to. */
export interface FrameTransport extends Corkable {
  write(bytes: Uint8Array, written?: () => void): unknown;
}

/** Up to this size a copy costs less than a second buffer for the system. */
const ONE_PIECE_BYTES = 8 * 1024;
/** Small messages that wait for the end of their turn. */
const MAX_HELD_BYTES = 64 * 1024;

/** How the payload is masked: not by servers, with zeros by clients that need no mask (see websocket_dialer.ts). */
export type Masking = "none" | "zeros" | "random";

export class FrameWriter {
  readonly #socket: WebSocket;
  readonly #transport: FrameTransport;
  readonly #masking: Masking;
  readonly #large: WriteBatch;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #turn: "idle" | "written" = "idle";

  constructor(socket: WebSocket, transport: FrameTransport, masking: Masking) {
    this.#socket = socket;
    this.#transport = transport;
    this.#masking = masking;
    this.#large = new WriteBatch(transport);
  }

  /** Bytes that were not given to the socket yet. */
  get held(): number {
    return this.#heldBytes;
  }

  /** Sends one message, which ends with `body`; the first of a turn goes out at once, so that a lone one never waits. */
  send(payload: Uint8Array, sent?: (() => void) | undefined, body?: Uint8Array): void {
    if (body !== undefined) return this.#sendLarge(payload, body, sent);
    if (payload.length > ONE_PIECE_BYTES) return this.#sendLarge(NOTHING, payload, sent);
    if (this.#masking === "random") return this.#sendMasked(payload, sent);
    const message = messageHead(payload, payload.length, this.#masking === "zeros");
    if (this.#turn === "idle") {
      this.#turn = "written";
      setImmediate(this.#endTurn);
      this.#transport.write(message, sent);
      return;
    }
    this.#held.push(message);
    this.#heldBytes += message.length;
    if (sent !== undefined || this.#heldBytes >= MAX_HELD_BYTES) this.flush(sent);
  }

  /** Gives to the socket what is held; to be called before anything else is written to it. */
  flush(sent?: () => void): void {
    if (this.#held.length === 0) return;
    const bytes = this.#held.length === 1 ? this.#held[0]! : joinChunks(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    // A socket that has closed meanwhile takes nothing; its connection is told of the end.
    if (this.#socket.readyState === this.#socket.OPEN) this.#transport.write(bytes, sent);
  }

  /** The body goes to the system as it is. */
  #sendLarge(start: Uint8Array, body: Uint8Array, sent?: () => void): void {
    if (this.#masking === "random") {
      return this.#sendMasked(start.length === 0 ? body : joinChunks([start, body]), sent);
    }
    this.flush();
    this.#large.begin();
    this.#transport.cork();
    this.#transport.write(messageHead(start, start.length + body.length, this.#masking === "zeros"));
    this.#transport.write(body, sent);
    this.#transport.uncork();
  }

  #sendMasked(payload: Uint8Array, sent?: () => void): void {
    this.flush();
    this.#large.begin();
    if (sent === undefined) this.#socket.send(payload);
    else this.#socket.send(payload, sent);
  }

  readonly #endTurn = (): void => {
    this.#turn = "idle";
    this.flush();
  };
}

const NOTHING = new Uint8Array(0);

/** What comes before the payload of a final binary frame (RFC 6455 5.2), and how that starts. */
function messageHead(start: Uint8Array, payloadBytes: number, zeroMask: boolean): Uint8Array {
  const lengthBytes = payloadBytes < 126 ? 0 : payloadBytes < 65_536 ? 2 : 8;
  const headerBytes = 2 + lengthBytes + (zeroMask ? 4 : 0);
  const bytes = new Uint8Array(headerBytes + start.length);
  bytes[0] = 0x82;
  bytes[1] = (zeroMask ? 0x80 : 0) | (lengthBytes === 0 ? payloadBytes : lengthBytes === 2 ? 126 : 127);
  for (let i = 1 + lengthBytes, rest = payloadBytes; i > 1; i--, rest >>>= 8) bytes[i] = rest & 0xff;
  bytes.set(start, headerBytes);
  return bytes;
}
