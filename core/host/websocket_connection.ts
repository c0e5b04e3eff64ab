/** A WebSocket of npm ws, on either side, as a connection that carries frames. */

// @ts-types="npm:@types/ws@8.18.2"
import type { RawData, WebSocket } from "ws";
import { cutText } from "../cut_text.ts";
import { closeCode, type Code, WasimoffError } from "../errors.ts";
import { joinChunks } from "../join_chunks.ts";
import { MAX_FRAME_BYTES, SOCKET_LOW_WATER_BYTES } from "../protocol/limits.ts";
import type { Connection, ConnectionHandler } from "../session/connection.ts";
import { closeCause, MAX_CLOSE_REASON_BYTES, socketFailure } from "./websocket_close.ts";
import { maskingOf } from "./websocket_masking.ts";
import { type DataSource, FrameReader } from "./websocket_frame_reader.ts";
import { type FrameTransport, FrameWriter } from "./websocket_frame_writer.ts";

/** How long a peer may take to answer a close before its socket is destroyed. */
const CLOSE_TIMEOUT_MS = 2_000;

/** What every WebSocket of ours is made with, on both sides. No compression: it costs memory per connection. */
export const WEBSOCKET_OPTIONS = {
  perMessageDeflate: false,
  maxPayload: MAX_FRAME_BYTES,
  closeTimeout: CLOSE_TIMEOUT_MS,
} as const;

/** ws turns TCP_NODELAY on by itself; a frame above MAX_FRAME_BYTES closes with 1009, a text with 1003. */
export class WebSocketConnection implements Connection {
  readonly #socket: WebSocket;
  readonly #reads: FrameReader;
  readonly #writes: FrameWriter;
  #handler: ConnectionHandler | null = null;
  /** Why it ends; the first cause wins. */
  #cause: WasimoffError | null = null;
  #closed = false;
  /** `buffered` was above the low-water mark at the last send. */
  #full = false;

  /**
   * Takes over an open socket, in the same turn in which it opened, and holds what arrives until `start`.
   * `transport` is what it reads from and writes to.
   */
  constructor(socket: WebSocket, transport: DataSource & FrameTransport) {
    this.#socket = socket;
    const masking = maskingOf(socket.url);
    this.#writes = new FrameWriter(socket, transport, masking);
    this.#reads = new FrameReader(transport, {
      masked: masking === "none",
      maxBytes: MAX_FRAME_BYTES,
      onMessage: (first, rest) => this.#onFrame(first, rest),
    });
    socket.binaryType = "nodebuffer";
    socket.pause();
    socket.on("message", (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on("error", (error: NodeJS.ErrnoException) => this.#onError(error));
    socket.on("close", (code, reason) => this.#onClose(closeCause(code, reason.toString())));
  }

  get buffered(): number {
    return this.#socket.bufferedAmount + this.#writes.held;
  }

  start(handler: ConnectionHandler): void {
    this.#handler = handler;
    // A socket that ended before anybody listened still tells its end, in a turn of its own.
    if (this.#closed) queueMicrotask(() => handler.onClose(this.#cause!));
    else this.#socket.resume();
  }

  send(frame: Uint8Array, _number?: number, body?: Uint8Array): void {
    if (this.#cause !== null || this.#socket.readyState !== this.#socket.OPEN) return;
    this.#full ||= this.buffered + frame.length + (body?.length ?? 0) >= SOCKET_LOW_WATER_BYTES;
    this.#writes.send(frame, this.#full ? this.#onSent : undefined, body);
  }

  release(buffer: ArrayBufferLike, bytes: number): void {
    this.#reads.release(buffer, bytes);
  }

  close(code: Code, reason: string): void {
    if (this.#cause !== null) return;
    this.#cause = new WasimoffError(code, reason);
    this.#writes.flush();
    this.#socket.close(closeCode(code), cutText(reason, MAX_CLOSE_REASON_BYTES));
    this.#socket.resume(); // the peer's answer may be behind frames that nobody wants any more
  }

  /** Frames are only asked about while much is buffered; the last of them sees the buffer empty. */
  readonly #onSent = (): void => {
    if (!this.#full || this.#closed || this.buffered >= SOCKET_LOW_WATER_BYTES) return;
    this.#full = false;
    this.#handler?.onDrain();
  };

  #onFrame(first: Uint8Array, rest: Uint8Array | null): void {
    if (this.#cause !== null || this.#socket.readyState !== this.#socket.OPEN) return;
    if (rest === null) this.#handler?.onFrame(first);
    else if (this.#handler?.onPieces !== undefined) this.#handler.onPieces(first, rest);
    else this.#handler?.onFrame(joinChunks([first, rest]));
  }

  /** What the reader has left to ws. */
  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#cause !== null || !this.#reads.forwarding) return;
    if (!isBinary) return this.close("unimplemented", "text frames are not spoken here: send binary ones");
    const frame = data as Uint8Array;
    // A socket that we dialed may have become one of whole messages, and has their bound.
    if (frame.length > MAX_FRAME_BYTES) {
      return this.close("out_of_range", `a frame has more than ${MAX_FRAME_BYTES} bytes`);
    }
    this.#handler?.onFrame(frame);
  }

  #onError(error: NodeJS.ErrnoException): void {
    this.#cause ??= socketFailure(error, MAX_FRAME_BYTES);
  }

  #onClose(cause: WasimoffError): void {
    this.#closed = true;
    this.#cause ??= cause;
    this.#handler?.onClose(this.#cause);
  }
}
