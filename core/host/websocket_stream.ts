/** A WebSocket of npm ws, on either side, as a stream of bytes in binary messages (wasmws.md). */

// @ts-types="npm:@types/ws@8.18.2"
import type { RawData, WebSocket } from "ws";
import type { ByteDuplex, ByteSink, ByteSource } from "../byte_stream.ts";
import { cutText } from "../cut_text.ts";
import { closeCode, WasimoffError } from "../errors.ts";
import { READ_AHEAD_BYTES, WRITE_AHEAD_BYTES } from "./tcp_duplex.ts";
import type { UnfinishedMessage, UnfinishedMessages } from "./unfinished_messages.ts";
import { closeCause, MAX_CLOSE_REASON_BYTES, socketFailure } from "./websocket_close.ts";
import { WEBSOCKET_OPTIONS } from "./websocket_connection.ts";
import type { MessageTransport } from "./websocket_messages.ts";

/** Existing servers take no longer message. */
export const MAX_SENT_BYTES = 32_768;
/** Of one message that we take: a program may write more at once than we send. */
const MAX_RECEIVED_BYTES = 1024 * 1024;

/** How often a peer is pinged. */
const PING_INTERVAL_MS = 15_000;
/**
 * A peer is gone after this long without a sign of life. Not sooner: one that is busy, or does not read for a while, answers
 * no pings either, and those of a slow line come late.
 */
const SILENCE_TIMEOUT_MS = 60_000;
/** How long a peer may take to read what was sent before the end, and to answer that. */
const CLOSE_TIMEOUT_MS = 30_000;
/** How long a peer may take to answer an abort. */
const ABORT_TIMEOUT_MS = 2_000;

/** Unread bytes of a peer that sends on while the connection is closed. */
const MAX_CLOSING_BYTES = 4 * READ_AHEAD_BYTES;

/** What such a WebSocket is made with, on both sides. */
export const STREAM_WEBSOCKET_OPTIONS = {
  ...WEBSOCKET_OPTIONS,
  maxPayload: MAX_RECEIVED_BYTES,
  closeTimeout: CLOSE_TIMEOUT_MS,
} as const;

/** Close codes that are an end of the bytes and no failure: normal, going away, and a close without a code. */
const PROPER_ENDS: ReadonlySet<number> = new Set([1000, 1001, 1005]);

/**
 * There is no half-close in such a stream: the end of either direction closes both, once what was written is sent. An
 * abort closes with a code, and a connection that breaks fails both directions. Its peer is watched by control pings.
 */
export class WebSocketStream implements ByteDuplex, UnfinishedMessage {
  readonly readable: ByteSource = {
    read: () => this.#read(),
    cancel: (reason) => this.#close(reason),
  };
  readonly writable: ByteSink = {
    write: (chunk) => this.#write(chunk),
    end: () => this.#end(),
    abort: (reason) => this.#close(reason),
  };
  readonly #socket: WebSocket;
  readonly #pings = setInterval(() => this.#ping(), PING_INTERVAL_MS);
  readonly #unfinished: UnfinishedMessages;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #unfinishedBytes = 0;
  #ended = false;
  /** Why it ends without a proper end; the first cause wins. */
  #failure: WasimoffError | null = null;
  #reader: PromiseWithResolvers<Uint8Array | null> | null = null;
  #room: PromiseWithResolvers<void> | null = null;
  /** Messages that the platform has not taken yet. */
  #unsent = 0;
  /** Nothing more is written. */
  #closing = false;
  #heardAt = performance.now();
  #abortTimer: ReturnType<typeof setTimeout> | undefined;

  /** Takes over an open socket, in the same turn in which it opened. Messages that are not whole count in `unfinished`. */
  constructor(socket: WebSocket, transport: MessageTransport, unfinished: UnfinishedMessages) {
    this.#socket = socket;
    this.#unfinished = unfinished;
    unfinished.add(this);
    socket.binaryType = "nodebuffer";
    transport.prependListener("data", (bytes) => this.#onData(bytes.length));
    socket.on("message", (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on(
      "error",
      (error: NodeJS.ErrnoException) => this.#failure ??= socketFailure(error, MAX_RECEIVED_BYTES),
    );
    socket.on("close", (code, reason) => this.#onClose(code, reason.toString()));
  }

  get unfinishedBytes(): number {
    return this.#unfinishedBytes;
  }

  evict(): void {
    this.#drop(
      new WasimoffError("resource_exhausted", "too many large messages are on their way: try again later"),
    );
  }

  #read(): Promise<Uint8Array | null> {
    if (this.#reader !== null) throw new TypeError("read while another read waits");
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#bytes -= chunk.length;
      if (this.#bytes < READ_AHEAD_BYTES / 2 && this.#socket.isPaused) this.#socket.resume();
      return Promise.resolve(chunk);
    }
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve(null);
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  #write(chunk: Uint8Array): Promise<void> | void {
    if (this.#failure !== null || this.#ended) return Promise.reject(this.#failure ?? closed());
    if (this.#closing) throw new TypeError("write after end");
    for (let at = 0; at < chunk.length; at += MAX_SENT_BYTES) {
      this.#unsent++;
      this.#socket.send(chunk.subarray(at, at + MAX_SENT_BYTES), this.#onSent);
    }
    if (this.#socket.bufferedAmount < WRITE_AHEAD_BYTES) return;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  readonly #onSent = (): void => {
    this.#heardAt = performance.now(); // the peer takes what is sent
    if (--this.#unsent === 0 && this.#closing) this.#sayEnd();
    if (this.#room === null || this.#socket.bufferedAmount >= WRITE_AHEAD_BYTES) return;
    this.#room.resolve();
    this.#room = null;
  };

  #end(): void {
    if (this.#closing) return;
    this.#closing = true;
    // Else later: the time for the peer's answer begins when the end can reach it.
    if (this.#unsent === 0) this.#sayEnd();
  }

  #sayEnd(): void {
    this.#socket.close(1000);
    this.#socket.resume(); // the peer's answer may be behind bytes that nobody has read
  }

  #close(reason: WasimoffError): void {
    if (this.#failure !== null || this.#ended) return void (this.#chunks.length = 0);
    this.#fail(reason);
    this.#chunks.length = 0;
    this.#closing = true;
    this.#socket.close(closeCode(reason.code), cutText(reason.message, MAX_CLOSE_REASON_BYTES));
    this.#abortTimer = setTimeout(() => this.#socket.terminate(), ABORT_TIMEOUT_MS);
    this.#socket.resume();
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    const chunk = data as Uint8Array;
    this.#setUnfinished(0); // what has come behind it is little, and counted with the next chunk
    if (!isBinary) {
      return this.#close(new WasimoffError("unimplemented", "send binary messages: these are bytes"));
    }
    if (this.#failure !== null || chunk.length === 0) return;
    if (this.#reader !== null) {
      const reader = this.#reader;
      this.#reader = null;
      return reader.resolve(chunk);
    }
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < READ_AHEAD_BYTES) return;
    if (!this.#closing) this.#socket.pause();
    else if (this.#bytes > MAX_CLOSING_BYTES) this.#drop(closed()); // it must be read to its close
  }

  #onData(bytes: number): void {
    this.#heardAt = performance.now();
    this.#setUnfinished(this.#unfinishedBytes + bytes);
  }

  #setUnfinished(bytes: number): void {
    const change = bytes - this.#unfinishedBytes;
    this.#unfinishedBytes = bytes;
    this.#unfinished.changed(change);
  }

  #onClose(code: number, reason: string): void {
    clearInterval(this.#pings);
    clearTimeout(this.#abortTimer);
    this.#forget();
    this.#ended = true;
    if (!PROPER_ENDS.has(code)) this.#fail(closeCause(code, reason));
    this.#reader?.resolve(null);
    this.#reader = null;
    this.#releaseWriter(this.#failure ?? closed());
  }

  #fail(cause: WasimoffError): void {
    this.#failure ??= cause;
    this.#reader?.reject(this.#failure);
    this.#reader = null;
    this.#releaseWriter(this.#failure);
  }

  #releaseWriter(cause: WasimoffError): void {
    this.#room?.promise.catch(() => {}); // a writer that no longer waits must not stop the process
    this.#room?.reject(cause);
    this.#room = null;
  }

  #drop(cause: WasimoffError): void {
    this.#fail(cause);
    this.#forget();
    this.#socket.terminate();
  }

  /** What still comes of bytes that were read before counts no more. */
  #forget(): void {
    this.#unfinished.remove(this);
    this.#unfinishedBytes = 0;
  }

  #ping(): void {
    const now = performance.now();
    if (this.#socket.isPaused) this.#heardAt = now; // who is not read cannot be heard
    if (now - this.#heardAt >= SILENCE_TIMEOUT_MS) {
      return this.#drop(new WasimoffError("unavailable", "peer was silent for too long"));
    }
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
  }
}

function closed(): WasimoffError {
  return new WasimoffError("aborted", "connection was closed");
}
