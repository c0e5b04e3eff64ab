/** The client of WebTransport: sessions over a connection that somebody else has made. */

import { type Code, WasimoffError } from "../errors.ts";
import { unlessAborted } from "../unless_aborted.ts";
import { ByteReader } from "./byte_reader.ts";
import { errorOf } from "./connection_end.ts";
import { ConnectStream } from "./connect_stream.ts";
import { FrameStream } from "./frame_stream.ts";
import { Http3Connection } from "./http3_connection.ts";
import { Http3Error } from "./http3_error.ts";
import { encodeFrame, FRAME_TYPE } from "./http3_frame.ts";
import { CLIENT_LIMITS, type WebTransportLimits } from "./limits.ts";
import { refuseStream } from "./open_streams.ts";
import { parseProtocols } from "./protocol_header.ts";
import { decodeFieldSection, encodeFieldSection } from "./qpack.ts";
import type { HeaderField } from "./qpack_static_table.ts";
import type { QuicBidirectionalStream, QuicConnection, StreamErrorCode } from "./quic_connection.ts";
import { PROTOCOL_CHOSEN, requestFields, type WebTransportRequest } from "./request.ts";
import { WebTransportSession } from "./session.ts";
import { speaksWebTransport } from "./settings.ts";

export interface WebTransportClientOptions {
  readonly streamErrorCode: StreamErrorCode;
  readonly limits?: Partial<WebTransportLimits>;
}

export interface ConnectOptions {
  /** Host and port, as in the URL. */
  readonly authority: string;
  /** With the query, if any. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Application protocols that we speak, the favourite first. */
  readonly protocols?: readonly string[];
  /** Ends the attempt; the open session does not depend on it. */
  readonly signal?: AbortSignal;
}

/** What it means when the server answers with a status that is no success. */
const CODE_OF_STATUS: Readonly<Record<number, Code>> = {
  400: "invalid_argument",
  401: "unauthenticated",
  403: "permission_denied",
  404: "unimplemented",
  405: "unimplemented",
  429: "resource_exhausted",
  431: "invalid_argument",
  501: "unimplemented",
};

/** Opens the first session on a connection. For several on one, keep a `WebTransportClient`. */
export function connectWebTransport(
  quic: QuicConnection,
  options: ConnectOptions & WebTransportClientOptions,
): Promise<WebTransportSession> {
  return new WebTransportClient(quic, options).connect(options);
}

/** Opens sessions on one connection, which ends with the last of them. */
export class WebTransportClient {
  readonly #connection: Http3Connection;
  /** Aborted when the connection has ended. */
  readonly #lost = new AbortController();

  constructor(quic: QuicConnection, { streamErrorCode, limits }: WebTransportClientOptions) {
    this.#connection = new Http3Connection(quic, {
      streamErrorCode,
      limits: { ...CLIENT_LIMITS, ...limits },
      lingerMs: 0,
    });
    this.#connection.ended.then((cause) => this.#lost.abort(errorOf(cause)));
    this.#connection.start();
  }

  /**
   * Opens a session. Rejects with a WasimoffError whose code says whether to try again, when no answer has come in
   * `requestTimeoutMs`, too.
   */
  async connect(options: ConnectOptions): Promise<WebTransportSession> {
    const request = requestOf(options);
    const section = encodeFieldSection(requestFields(request));
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new WasimoffError("deadline_exceeded", "the server gave no answer in time")),
      this.#connection.options.limits.requestTimeoutMs,
    );
    const signals = [late.signal, this.#lost.signal, ...options.signal ? [options.signal] : []];
    this.#connection.hold();
    try {
      return await this.#open(request, section, AbortSignal.any(signals));
    } catch (error) {
      throw error instanceof WasimoffError ? error : await this.#explain(error);
    } finally {
      clearTimeout(timer);
      await this.#connection.release();
    }
  }

  async #open(
    request: WebTransportRequest,
    section: Uint8Array,
    signal: AbortSignal,
  ): Promise<WebTransportSession> {
    const settings = await unlessAborted(this.#connection.settings, signal);
    if (!speaksWebTransport(settings)) {
      throw new WasimoffError("unimplemented", "the server speaks HTTP/3, but not WebTransport");
    }
    if (this.#connection.goingAway) throw new WasimoffError("unavailable", "the server is shutting down");
    const stream = await this.#openStream(signal);
    const { id } = stream.writable;
    const frames = new FrameStream(new ByteReader(stream.readable), "request");
    try {
      const answered = this.#ask(stream, frames, section);
      const protocol = checkAnswer(await unlessAborted(answered, signal), request);
      const connect = new ConnectStream(id, stream, frames);
      const session = new WebTransportSession({ connection: this.#connection, connect, request, protocol });
      session.start();
      return session;
    } catch (error) {
      if (error instanceof Http3Error && error.scope === "connection") this.#connection.fail(error);
      frames.cancel();
      refuseStream(stream);
      void this.#connection.remove(id);
      throw error;
    }
  }

  async #openStream(signal: AbortSignal): Promise<QuicBidirectionalStream> {
    const opened = this.#connection.quic.createBidirectionalStream({ waitUntilAvailable: true });
    try {
      return await unlessAborted(opened, signal);
    } catch (error) {
      opened.then(refuseStream, () => {});
      throw error;
    }
  }

  /** The fields of the answer. */
  async #ask(
    stream: QuicBidirectionalStream,
    frames: FrameStream,
    section: Uint8Array,
  ): Promise<HeaderField[]> {
    try {
      const writer = stream.writable.getWriter();
      writer.write(encodeFrame(FRAME_TYPE.HEADERS, section)).catch(() => {}); // Reading says the same.
      writer.releaseLock();
      for (;;) {
        const frame = await frames.next();
        if (frame === undefined) throw new WasimoffError("unavailable", "the server gave no answer");
        const fields = decodeFieldSection(frame.payload);
        if (!isInterim(fields)) return fields;
      }
    } catch (error) {
      if (this.#connection.options.streamErrorCode(error) === undefined) throw error;
      throw new WasimoffError("unavailable", "the server gave up the request", { cause: error });
    }
  }

  /** An error that is none of a stream: the connection is lost, and says why, or the error is ours. */
  async #explain(error: unknown): Promise<WasimoffError> {
    this.#connection.suspectLoss(error);
    return errorOf(await this.#connection.ended);
  }
}

function requestOf({ authority, path, headers = {}, protocols = [] }: ConnectOptions): WebTransportRequest {
  const [name] = path.split("?", 1) as [string];
  const fields = new Headers(headers);
  const query = path.slice(name.length);
  return { authority, path: name, query, headers: fields, origin: fields.get("origin"), protocols };
}

function isInterim([first]: readonly HeaderField[]): boolean {
  return first?.[0] === ":status" && /^1[0-9][0-9]$/.test(first[1]);
}

/** The protocol that was agreed on. Throws when the answer is a refusal or none. */
function checkAnswer(fields: readonly HeaderField[], { protocols }: WebTransportRequest): string {
  const [first, ...rest] = fields;
  if (first?.[0] !== ":status" || !/^[2-5][0-9][0-9]$/.test(first[1])) {
    throw new Http3Error("H3_MESSAGE_ERROR", "read answer: it does not begin with a status");
  }
  const status = Number(first[1]);
  if (status >= 300) {
    throw new WasimoffError(
      CODE_OF_STATUS[status] ?? "unavailable",
      `the server refused the session: HTTP status ${status}`,
    );
  }
  const field = rest.find(([name]) => name === PROTOCOL_CHOSEN)?.[1];
  if (field === undefined) return "";
  const [protocol = ""] = parseProtocols(field);
  if (protocols.includes(protocol)) return protocol;
  throw new Http3Error("H3_MESSAGE_ERROR", `read answer: the protocol "${protocol}" was not offered`);
}
