/** HTTP/3 on one QUIC connection: its control streams, and whose each stream and datagram is. */

import { WasimoffError } from "../errors.ts";
import { delay } from "../delay.ts";
import { joinChunks } from "../join_chunks.ts";
import type { ByteReader } from "./byte_reader.ts";
import { type ConnectionEnd, endOf, errorOf, lossOf } from "./connection_end.ts";
import { decodeDatagram } from "./datagram.ts";
import { EarlyArrivals } from "./early_arrivals.ts";
import { HTTP3_CODES, Http3Error, type Http3ErrorName } from "./http3_error.ts";
import { encodeFrame, FRAME_TYPE } from "./http3_frame.ts";
import { IncomingStreams } from "./incoming_streams.ts";
import type { WebTransportLimits } from "./limits.ts";
import { refuseStream } from "./open_streams.ts";
import { PeerControl } from "./peer_control.ts";
import { FIELD_SECTION_LIMITS } from "./qpack.ts";
import type {
  QuicBidirectionalStream,
  QuicCloseInfo,
  QuicConnection,
  QuicReceiveStream,
  QuicSendStream,
  StreamErrorCode,
} from "./quic_connection.ts";
import { encodeSettings, ourSettings, type Settings } from "./settings.ts";
import { STREAM_TYPE } from "./stream_header.ts";
import { encodeVarints } from "./varint.ts";

/** What a session gets from the connection. */
export interface SessionSide {
  readonly id: bigint;
  takeStream(stream: QuicBidirectionalStream | QuicReceiveStream): void;
  takeDatagram(payload: Uint8Array): void;
  /** The peer wants to end the connection. */
  drain(): void;
  /** The connection has ended: properly when the cause is what the peer said. */
  lose(cause: ConnectionEnd): void;
  close(info: QuicCloseInfo): void;
  readonly closed: Promise<QuicCloseInfo>;
}

export interface Http3Options {
  readonly limits: WebTransportLimits;
  /** What a server does with a request; a client has none. */
  readonly onRequest?: (stream: QuicBidirectionalStream, reader: ByteReader, firstType: bigint) => void;
  /** How long the connection is kept without sessions and requests. */
  readonly lingerMs: number;
  readonly streamErrorCode: StreamErrorCode;
}

/** What our control stream begins with. */
const CONTROL_HEADER = joinChunks([
  encodeVarints(STREAM_TYPE.CONTROL),
  encodeFrame(FRAME_TYPE.SETTINGS, encodeSettings(ourSettings(FIELD_SECTION_LIMITS.maxBytes))),
]);

/** How long a broken stream waits for the news that the whole connection is lost. */
const LOSS_NOTICE_MS = 1_000;

/** What has arrived is read without a break, and may be a hundred thousand: others get their turn between. */
const DATAGRAMS_WITHOUT_PAUSE = 256;

/** To be started once, and then used until `ended`. */
export class Http3Connection {
  /** The peer's. Rejects when the connection ends before. */
  readonly settings: Promise<Settings>;
  /** Why the connection has ended, once it has. */
  readonly ended: Promise<ConnectionEnd>;
  readonly #settled = Promise.withResolvers<Settings>();
  readonly #end = Promise.withResolvers<ConnectionEnd>();
  readonly #sessions = new Map<bigint, SessionSide>();
  readonly #early: EarlyArrivals;
  #cause: ConnectionEnd | null = null;
  #control: QuicSendStream | null = null;
  #streams: IncomingStreams | null = null;
  #requests = 0;
  #goingAway = false;
  #hasEnded = false;
  #settingsTimer: ReturnType<typeof setTimeout> | undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #lossTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly quic: QuicConnection, readonly options: Http3Options) {
    this.settings = this.#settled.promise;
    this.settings.catch(ignore);
    this.ended = this.#end.promise;
    const { maxEarlyStreams: limit, earlyStreamTimeoutMs: timeoutMs } = options.limits;
    this.#early = new EarlyArrivals({ limit, timeoutMs });
  }

  /** Opens our control stream, the first of all, and begins to take what the peer sends. Never throws. */
  start(): void {
    const { limits, onRequest } = this.options;
    this.quic.closed.then(
      (info) => this.#finish(this.#cause ?? endOf(info)),
      (error) => this.#finish(this.#cause ?? lossOf(error)),
    );
    this.#settingsTimer = setTimeout(
      () => this.fail(new Http3Error("H3_MISSING_SETTINGS", "wait for settings: they did not come in time")),
      limits.handshakeTimeoutMs,
    );
    if (onRequest !== undefined) this.#endSoon(limits.handshakeTimeoutMs);
    this.#guard(this.#openControl());
    const control = new PeerControl({
      onSettings: (settings) => {
        clearTimeout(this.#settingsTimer);
        this.#settled.resolve(settings);
      },
      onGoaway: () => this.#drain(),
    }, { isServer: onRequest !== undefined });
    this.#streams = new IncomingStreams({
      onRequest: (stream, reader, type) => {
        if (onRequest) return onRequest(stream, reader, type);
        this.fail(new Http3Error("H3_STREAM_CREATION_ERROR", "read stream: servers cannot send requests"));
      },
      onUnidirectional: (type, _stream, reader) => this.#guard(control.read(type, reader)),
      onSessionStream: (id, stream) => this.#deliver(id, (session) => session.takeStream(stream), stream),
      onError: (error) => this.fail(error),
    }, limits);
    this.#streams.start(this.quic);
    void this.#readDatagrams();
  }

  get isOpen(): boolean {
    return this.#cause === null;
  }

  /** Whether one of the two sides has said that it will end the connection. */
  get goingAway(): boolean {
    return this.#goingAway;
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** A request is under way: the connection is kept until `release`. */
  hold(): void {
    this.#requests++;
    clearTimeout(this.#idleTimer);
  }

  /** The request has been answered. Resolves as `remove` does. */
  release(): Promise<void> {
    this.#requests--;
    return this.#endIfIdle();
  }

  /** From now on the session gets what is for it, beginning with what came early. */
  add(session: SessionSide): void {
    if (this.#hasEnded && this.#cause !== null) return session.lose(this.#cause);
    clearTimeout(this.#idleTimer);
    this.#sessions.set(session.id, session);
    this.#early.release(session.id);
  }

  /** The session has ended, or was refused. Resolves when that has ended the connection, or at once. */
  remove(sessionId: bigint): Promise<void> {
    this.#sessions.delete(sessionId);
    this.#early.forget(sessionId);
    return this.#endIfIdle();
  }

  /** Resolves when all have ended. */
  async closeSessions(info: QuicCloseInfo): Promise<void> {
    const sessions = [...this.#sessions.values()];
    for (const session of sessions) session.close(info);
    await Promise.allSettled(sessions.map(({ closed }) => closed));
  }

  /** Asks the peer to begin no further session; `firstRefused` is the id of the first request that gets none. */
  goAway(firstRefused: bigint): void {
    if (this.#goingAway || !this.isOpen) return;
    this.#goingAway = true;
    const frame = encodeFrame(FRAME_TYPE.GOAWAY, encodeVarints(firstRefused));
    const writer = this.#control?.getWriter();
    writer?.write(frame).catch(ignore);
    writer?.releaseLock();
  }

  /** Ends the connection because of an error: the first one counts. */
  fail(error: unknown): void {
    if (error instanceof Http3Error) return this.#close(error, error.http3Name, error.message);
    this.#close(WasimoffError.from(error, "internal"), "H3_INTERNAL_ERROR", "");
  }

  /** A stream broke without a word of the peer: the connection's `closed` is about to say why, or the error is ours. */
  suspectLoss(error: unknown): void {
    if (this.#hasEnded) return;
    clearTimeout(this.#lossTimer);
    this.#lossTimer = setTimeout(() => this.fail(error), LOSS_NOTICE_MS);
  }

  /** Ends the connection at once; all sessions end. */
  close(name: Http3ErrorName, reason: string): void {
    this.#close({ closeCode: 0, reason }, name, reason);
  }

  #close(cause: ConnectionEnd, name: Http3ErrorName, reason: string): void {
    if (!this.isOpen) return;
    this.#cause = cause;
    this.quic.close({ closeCode: HTTP3_CODES[name], reason });
  }

  #finish(cause: ConnectionEnd): void {
    this.#cause = cause;
    this.#hasEnded = true;
    clearTimeout(this.#settingsTimer);
    clearTimeout(this.#lossTimer);
    clearTimeout(this.#idleTimer);
    this.#early.clear();
    this.#streams?.stop();
    this.#settled.reject(errorOf(cause));
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const session of sessions) session.lose(cause);
    this.#end.resolve(cause);
  }

  async #openControl(): Promise<void> {
    this.#control = await this.quic.createUnidirectionalStream({ waitUntilAvailable: true });
    const writer = this.#control.getWriter();
    const written = writer.write(CONTROL_HEADER);
    writer.releaseLock(); // a peer may let us wait, and `goAway` writes, too
    await written;
  }

  async #readDatagrams(): Promise<void> {
    for (let count = 1;; count++) {
      let datagram: Uint8Array;
      if (count % DATAGRAMS_WITHOUT_PAUSE === 0) await delay(0);
      try {
        datagram = await this.quic.readDatagram();
      } catch {
        return; // The connection has ended: `closed` says why.
      }
      try {
        const { sessionId, payload } = decodeDatagram(datagram);
        this.#deliver(sessionId, (session) => session.takeDatagram(payload));
      } catch (error) {
        return this.fail(error);
      }
    }
  }

  #deliver(
    sessionId: bigint,
    give: (session: SessionSide) => void,
    stream?: QuicBidirectionalStream | QuicReceiveStream,
  ): void {
    const session = this.#sessions.get(sessionId);
    if (session !== undefined) return give(session);
    this.#early.hold({
      sessionId,
      deliver: () => {
        const late = this.#sessions.get(sessionId);
        if (late !== undefined) give(late);
      },
      refuse: () => {
        if (stream !== undefined) refuseStream(stream);
      },
    });
  }

  async #endIfIdle(): Promise<void> {
    if (this.#sessions.size > 0 || this.#requests > 0 || !this.isOpen) return;
    if (this.options.lingerMs > 0) return this.#endSoon(this.options.lingerMs);
    this.close("H3_NO_ERROR", "");
    await this.ended;
  }

  #endSoon(delayMs: number): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.close("H3_NO_ERROR", ""), delayMs);
  }

  #drain(): void {
    this.#goingAway = true;
    for (const session of this.#sessions.values()) session.drain();
  }

  /** A control stream: its end is that of the connection. */
  #guard(stream: Promise<void>): void {
    stream.catch((error) => {
      if (error instanceof Http3Error) return this.fail(error);
      if (this.options.streamErrorCode(error) !== undefined) {
        const message = "read or write control stream: the peer ended it";
        return this.fail(new Http3Error("H3_CLOSED_CRITICAL_STREAM", message, { cause: error }));
      }
      this.suspectLoss(error);
    });
  }
}

/** The connection's end tells the same. */
function ignore(): void {}
