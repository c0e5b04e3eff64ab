/** One WebTransport session, in the shape of the W3C interface, on either side. */

import { WasimoffError } from "../errors.ts";
import { unlessAborted } from "../unless_aborted.ts";
import { toApplicationCode } from "./application_error.ts";
import type { Capsule } from "./capsule.ts";
import type { ConnectionEnd } from "./connection_end.ts";
import type { ConnectStream } from "./connect_stream.ts";
import { Http3Error } from "./http3_error.ts";
import type { Http3Connection, SessionSide } from "./http3_connection.ts";
import { OpenStreams, refuseStream } from "./open_streams.ts";
import type {
  QuicBidirectionalStream,
  QuicCloseInfo,
  QuicReceiveStream,
  QuicSendStream,
  QuicStreamOptions,
} from "./quic_connection.ts";
import { SessionDatagrams } from "./session_datagrams.ts";
import { StreamQueue } from "./stream_queue.ts";
import { encodeStreamHeader } from "./stream_header.ts";
import type { WebTransportRequest } from "./request.ts";

/** Why a session ended: a code of 32 bits and a text of at most 1024 bytes. */
export type WebTransportCloseInfo = QuicCloseInfo;

export interface SessionParts {
  readonly connection: Http3Connection;
  readonly connect: ConnectStream;
  readonly request: WebTransportRequest;
  /** What was agreed on; "" for none. */
  readonly protocol: string;
}

/**
 * Streams are those of QUIC, without anything in between. `abort` of one arrives as its proper end where the
 * runtime cannot reset streams (Deno), and `cancel` without its code: an end alone never means success.
 */
export class WebTransportSession implements SessionSide {
  readonly id: bigint;
  /** Sessions are handed out when they are ready. */
  readonly ready: Promise<void> = Promise.resolve();
  /** Resolves with what either side gave to `close`; rejects when the session was lost without that. */
  readonly closed: Promise<WebTransportCloseInfo>;
  /** Resolves when the peer asks to end the session soon. */
  readonly draining: Promise<void>;
  readonly datagrams: SessionDatagrams;
  readonly protocol: string;
  /** What the session began with; on the client's side, what it has asked for. */
  readonly request: WebTransportRequest;
  readonly #connection: Http3Connection;
  readonly #connect: ConnectStream;
  readonly #closed = Promise.withResolvers<WebTransportCloseInfo>();
  readonly #draining = Promise.withResolvers<void>();
  readonly #open = new OpenStreams();
  readonly #bidirectional: StreamQueue<QuicBidirectionalStream>;
  readonly #unidirectional: StreamQueue<QuicReceiveStream>;
  #state: "open" | "closing" | "ended" = "open";
  /** What the first `close` of either side said. */
  #closeInfo: WebTransportCloseInfo | null = null;
  /** Settled when nothing more is read from the CONNECT stream; the end of the connection ends that, too. */
  #heard: Promise<void> = Promise.resolve();
  #closeTimer: ReturnType<typeof setTimeout> | undefined;
  /** Aborted when the session is no longer open; few sessions open streams. */
  #over: AbortController | null = null;

  constructor({ connection, connect, request, protocol }: SessionParts) {
    const { limits } = connection.options;
    this.id = connect.id;
    this.#connection = connection;
    this.#connect = connect;
    this.request = request;
    this.protocol = protocol;
    this.closed = this.#closed.promise;
    this.closed.catch(ignore);
    this.draining = this.#draining.promise;
    this.datagrams = new SessionDatagrams(connection.quic, this.id, limits.maxWaitingDatagrams);
    this.#bidirectional = new StreamQueue(limits.maxWaitingStreams);
    this.#unidirectional = new StreamQueue(limits.maxWaitingStreams);
  }

  /** Takes part in the connection from now on. To be called once. */
  start(): void {
    this.#connection.add(this);
    this.#heard = this.#connect.read((capsule) => this.#takeCapsule(capsule)).then(
      () => this.#finish(this.#closeInfo ?? { closeCode: 0, reason: "" }),
      (error) => this.#readFailed(error),
    );
  }

  /** Streams that the peer opens, without their headers. */
  get incomingBidirectionalStreams(): ReadableStream<QuicBidirectionalStream> {
    return this.#bidirectional.readable;
  }

  get incomingUnidirectionalStreams(): ReadableStream<QuicReceiveStream> {
    return this.#unidirectional.readable;
  }

  /** Where the peer is; changes when it moves to another network. */
  get remoteAddress(): { readonly hostname: string; readonly port: number } {
    const { hostname, port } = this.#connection.quic.remoteAddr;
    return { hostname, port };
  }

  /** Opens a stream. Rejects when the session has ended, or when the peer allows no further one now. */
  async createBidirectionalStream(options?: QuicStreamOptions): Promise<QuicBidirectionalStream> {
    const stream = await this.#whileOpen(() => this.#connection.quic.createBidirectionalStream(options));
    this.#begin(stream.writable, encodeStreamHeader("bidirectional", this.id));
    this.#open.add(stream.readable, stream.writable);
    return stream;
  }

  /** The same for a stream that only we write. */
  async createUnidirectionalStream(options?: QuicStreamOptions): Promise<QuicSendStream> {
    const stream = await this.#whileOpen(() => this.#connection.quic.createUnidirectionalStream(options));
    this.#begin(stream, encodeStreamHeader("unidirectional", this.id));
    this.#open.add(stream);
    return stream;
  }

  /** The code of 32 bits with which the peer has aborted or cancelled a stream, from the error of that stream. */
  streamErrorCode(error: unknown): number | undefined {
    const code = this.#connection.options.streamErrorCode(error);
    return code === undefined ? undefined : toApplicationCode(code);
  }

  /** Asks the peer to end the session soon. */
  drainPeer(): void {
    if (this.#state === "open") this.#connect.sendDrain();
  }

  /**
   * Ends the session; `closed` resolves when the peer agrees, or a second later. Open streams end. A reason
   * above 1024 bytes is cut. RangeError for a code that has not 32 bits.
   */
  close({ closeCode = 0, reason = "" }: Partial<WebTransportCloseInfo> = {}): void {
    if (this.#state !== "open") return;
    this.#connect.sendClose(closeCode, reason);
    this.#awaitEnd({ closeCode, reason });
  }

  takeStream(stream: QuicBidirectionalStream | QuicReceiveStream): void {
    const isTaken = this.#state === "open" &&
      (stream instanceof ReadableStream
        ? this.#unidirectional.push(stream)
        : this.#bidirectional.push(stream));
    if (!isTaken) return refuseStream(stream);
    if (stream instanceof ReadableStream) this.#open.add(stream);
    else this.#open.add(stream.readable, stream.writable);
  }

  takeDatagram(payload: Uint8Array): void {
    this.datagrams.push(payload);
  }

  drain(): void {
    this.#draining.resolve();
  }

  /** What the peer has said right before it closed the connection is heard first: Firefox ends its sessions so. */
  lose(cause: ConnectionEnd): void {
    void this.#heard.then(() => this.#finish(this.#closeInfo ?? cause));
  }

  #takeCapsule(capsule: Capsule): void {
    if (capsule.type === "drain") return this.drain();
    if (this.#state === "open") this.#awaitEnd({ closeCode: capsule.code, reason: capsule.reason });
  }

  /** Ends our direction of the CONNECT stream; the peer has little time to end its own. */
  #awaitEnd(closeInfo: WebTransportCloseInfo): void {
    this.#state = "closing";
    this.#closeInfo = closeInfo;
    this.#over?.abort(sessionEnded());
    this.#connect.finish();
    this.#closeTimer = setTimeout(() => {
      this.#connect.cancel();
      this.#finish(closeInfo);
    }, this.#connection.options.limits.closeTimeoutMs);
  }

  #readFailed(error: unknown): void {
    if (error instanceof Http3Error && error.scope === "connection") return this.#connection.fail(error);
    const isReset = this.#connection.options.streamErrorCode(error) !== undefined;
    // Else the connection is lost, which tells all its sessions why.
    if (!isReset && !(error instanceof Http3Error)) return this.#connection.suspectLoss(error);
    const message = `session ended: ${error instanceof Http3Error ? error.message : "the peer reset it"}`;
    this.#connect.cancel();
    this.#finish(this.#closeInfo ?? new WasimoffError("unavailable", message, { cause: error }));
  }

  /** The first end counts. */
  #finish(end: ConnectionEnd): void {
    if (this.#state === "ended") return;
    if (this.#state === "open") this.#connect.finish();
    this.#state = "ended";
    this.#over?.abort(sessionEnded());
    clearTimeout(this.#closeTimer);
    const cause = end instanceof WasimoffError ? end : undefined;
    this.#bidirectional.end(cause);
    this.#unidirectional.end(cause);
    this.datagrams.end(cause);
    this.#open.end();
    this.#connection.remove(this.id).then(() => {
      if (end instanceof WasimoffError) this.#closed.reject(end);
      else this.#closed.resolve(end);
    });
  }

  /** A peer that allows no further stream may do so for longer than the session lasts. */
  async #whileOpen<S extends QuicBidirectionalStream | QuicSendStream>(open: () => Promise<S>): Promise<S> {
    if (this.#state !== "open") throw sessionEnded();
    const { signal } = this.#over ??= new AbortController();
    const opening = open();
    try {
      const stream = await unlessAborted(opening, signal);
      signal.throwIfAborted(); // both may happen at once
      return stream;
    } catch (error) {
      opening.then(refuseStream, ignore);
      throw error;
    }
  }

  /** Says whose the stream is. What is written next waits its turn behind that. */
  #begin(stream: QuicSendStream, header: Uint8Array): void {
    const writer = stream.getWriter();
    writer.write(header).catch(ignore);
    writer.releaseLock();
  }
}

function sessionEnded(): WasimoffError {
  return new WasimoffError("unavailable", "cannot open a stream: the session has ended");
}

/** Whoever uses the session or the stream learns it from there. */
function ignore(): void {}
