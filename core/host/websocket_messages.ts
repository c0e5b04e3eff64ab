/** A WebSocket of npm ws, on either side, as a pipe of whole messages: what wasimoff_v1 speaks over. */

import type { Buffer } from "node:buffer";
// @ts-types="npm:@types/ws@8.18.2"
import type { RawData, WebSocket } from "ws";
import { cutText } from "../cut_text.ts";
import { WasimoffError } from "../errors.ts";
import { SILENCE_TIMEOUT_MS } from "../protocol/limits.ts";
import type { MessagePipe, MessagePipeHandler } from "../protocol/messenger_v1.ts";
import { Heartbeat } from "../session/heartbeat.ts";
import { closeCause, MAX_CLOSE_REASON_BYTES, socketFailure } from "./websocket_close.ts";
import { WEBSOCKET_OPTIONS } from "./websocket_connection.ts";
import type { UnfinishedMessage, UnfinishedMessages } from "./unfinished_messages.ts";
import type { FrameTransport } from "./websocket_frame_writer.ts";
import { WriteBatch } from "./write_batch.ts";

/** Inline files and whole outputs travel in one message; ws refuses more before it buffers it. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
/** Bytes in the socket above which large messages wait for their turn. */
export const FULL_BYTES = 1024 * 1024;
/** Unread bytes that end a connection: more than the longest message, base64 included, and all small ones beside it. */
export const MAX_UNSENT_BYTES = 2 * MAX_MESSAGE_BYTES;
/** A peer that reads slower than this counts as silent: it cannot answer a ping before it has read what is before it. */
const MIN_READ_BYTES_PER_MS = 64;
/** Messages that may still come after we have said goodbye: whoever has so many on the way is not about to answer. */
const MAX_UNWANTED_MESSAGES = 10_000;
/** Pieces of one message: an honest sender uses one, or pieces of some KiB. */
const MAX_FRAGMENTS = 16 * 1024;

/** What a WebSocket of messages is made with, on both sides. */
export const MESSAGE_WEBSOCKET_OPTIONS = {
  ...WEBSOCKET_OPTIONS,
  maxPayload: MAX_MESSAGE_BYTES,
  maxFragments: MAX_FRAGMENTS,
} as const;

/** What the bytes of a WebSocket come from and go to. */
export interface MessageTransport extends FrameTransport {
  prependListener(event: "data", listener: (bytes: Uint8Array) => void): unknown;
}

/**
 * Watches its peer by control pings, which every library answers while it reads: any byte counts as life, silence
 * for SILENCE_TIMEOUT_MS ends the connection.
 */
export class WebSocketMessages implements MessagePipe, UnfinishedMessage {
  /** Resolves when the socket has ended. */
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;
  readonly #writes: WriteBatch;
  readonly #heartbeat: Heartbeat;
  readonly #ended = Promise.withResolvers<void>();
  #handler: MessagePipeHandler | null = null;
  /** Why it ends; the first cause wins. */
  #cause: WasimoffError | null = null;
  #drained: PromiseWithResolvers<void> | null = null;
  /** Until when the peer may be busy reading what it was sent. */
  #readingUntil = 0;
  readonly #unfinished: UnfinishedMessages;
  #unfinishedBytes = 0;
  #unwanted = 0;
  /** Of the chunk that is read. */
  #chunkBytes = 0;

  /**
   * Takes over an open socket, in the same turn in which it opened, and holds what arrives until `start`. What has
   * come of its next message counts in `unfinished`.
   */
  constructor(socket: WebSocket, transport: MessageTransport, unfinished: UnfinishedMessages) {
    this.#socket = socket;
    this.#unfinished = unfinished;
    unfinished.add(this);
    this.#writes = new WriteBatch(transport);
    this.closed = this.#ended.promise;
    this.#heartbeat = new Heartbeat({
      sendHeartbeat: () => this.#ping(),
      suspected: (suspect) => this.#handler?.onSuspect?.(suspect),
      silent: () => this.#drop(new WasimoffError("unavailable", `peer was silent for ${SILENCE_TEXT}`)),
    });
    socket.binaryType = "nodebuffer";
    socket.pause();
    // Before ws, which gives a message while it reads the chunk that ends it.
    transport.prependListener("data", (bytes) => this.#onData(bytes.length));
    socket.on("message", (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on("error", (error: NodeJS.ErrnoException) => this.#onError(error));
    socket.on("close", (code, reason) => this.#onClose(closeCause(code, reason.toString())));
  }

  get unfinishedBytes(): number {
    return this.#unfinishedBytes;
  }

  evict(): void {
    this.#drop(
      new WasimoffError("resource_exhausted", "too many large messages are on their way: try again later"),
    );
  }

  get full(): boolean {
    return this.#socket.bufferedAmount >= FULL_BYTES;
  }

  drained(): Promise<void> {
    if (!this.full || this.#cause !== null) return Promise.resolve();
    this.#drained ??= Promise.withResolvers();
    return this.#drained.promise;
  }

  start(handler: MessagePipeHandler): void {
    this.#handler = handler;
    // A socket that ended before anybody listened still tells its end, in a turn of its own.
    if (this.#socket.readyState === this.#socket.CLOSED) queueMicrotask(() => handler.onClose(this.#cause!));
    else this.#socket.resume();
  }

  send(message: Uint8Array | string): void {
    if (this.#cause !== null || this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > MAX_UNSENT_BYTES) {
      return this.#drop(new WasimoffError("resource_exhausted", "peer does not read what it is sent"));
    }
    this.#readingUntil = Math.max(this.#readingUntil, performance.now()) +
      message.length / MIN_READ_BYTES_PER_MS;
    this.#writes.begin();
    this.#socket.send(message, { binary: typeof message !== "string" }, this.#onSent);
  }

  close(code: number, reason: string): void {
    if (this.#cause !== null) return;
    this.#cause = new WasimoffError("canceled", reason);
    this.#release();
    this.#socket.close(code, cutText(reason, MAX_CLOSE_REASON_BYTES));
    this.#socket.resume(); // the peer's answer may be behind messages that nobody wants any more
  }

  readonly #onSent = (): void => {
    if (this.#drained !== null && !this.full) this.#release();
  };

  #release(): void {
    this.#drained?.resolve();
    this.#drained = null;
  }

  /** Bytes on their way to a slow reader count as life, as long as they may take. */
  #ping(): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
    if (performance.now() < this.#readingUntil) this.#heartbeat.heard();
  }

  #onData(bytes: number): void {
    this.#heartbeat.heard();
    this.#chunkBytes = bytes;
    this.#unfinishedBytes += bytes;
    this.#unfinished.changed(bytes);
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    // What is left is headers, and no more than what has come behind the message.
    const before = this.#unfinishedBytes;
    this.#unfinishedBytes = Math.max(0, Math.min(before - (data as Buffer).length, this.#chunkBytes));
    this.#unfinished.changed(this.#unfinishedBytes - before);
    if (this.#cause !== null) {
      if (++this.#unwanted > MAX_UNWANTED_MESSAGES) this.#socket.terminate();
      return;
    }
    this.#handler?.onMessage(isBinary ? data as Uint8Array : (data as Buffer).toString());
  }

  #onError(error: NodeJS.ErrnoException): void {
    this.#cause ??= socketFailure(error, MAX_MESSAGE_BYTES);
  }

  /** Ends without a word: the peer does not listen. */
  #drop(cause: WasimoffError): void {
    this.#cause ??= cause;
    this.#unfinished.remove(this);
    this.#release();
    this.#socket.terminate();
  }

  #onClose(cause: WasimoffError): void {
    this.#cause ??= cause;
    this.#unfinished.remove(this);
    this.#heartbeat.stop();
    this.#release();
    this.#ended.resolve();
    this.#handler?.onClose(this.#cause);
  }
}

const SILENCE_TEXT = `${SILENCE_TIMEOUT_MS / 1000} s`;
