/** What goes wrong in HTTP/3 and WebTransport, with the numbers that the peer is told. */

import { type Code, WasimoffError } from "../errors.ts";

/** RFC 9114 8.1, RFC 9204 6, RFC 9297 5.2 and draft-ietf-webtrans-http3 9.5. */
export const HTTP3_CODES = {
  H3_DATAGRAM_ERROR: 0x33,
  H3_NO_ERROR: 0x100,
  H3_GENERAL_PROTOCOL_ERROR: 0x101,
  H3_INTERNAL_ERROR: 0x102,
  H3_STREAM_CREATION_ERROR: 0x103,
  H3_CLOSED_CRITICAL_STREAM: 0x104,
  H3_FRAME_UNEXPECTED: 0x105,
  H3_FRAME_ERROR: 0x106,
  H3_EXCESSIVE_LOAD: 0x107,
  H3_ID_ERROR: 0x108,
  H3_SETTINGS_ERROR: 0x109,
  H3_MISSING_SETTINGS: 0x10a,
  H3_REQUEST_REJECTED: 0x10b,
  H3_REQUEST_CANCELLED: 0x10c,
  H3_REQUEST_INCOMPLETE: 0x10d,
  H3_MESSAGE_ERROR: 0x10e,
  H3_CONNECT_ERROR: 0x10f,
  H3_VERSION_FALLBACK: 0x110,
  QPACK_DECOMPRESSION_FAILED: 0x200,
  QPACK_ENCODER_STREAM_ERROR: 0x201,
  QPACK_DECODER_STREAM_ERROR: 0x202,
  WT_SESSION_GONE: 0x170d7b68,
  WT_BUFFERED_STREAM_REJECTED: 0x3994bd84,
} as const;

export type Http3ErrorName = keyof typeof HTTP3_CODES;

/** Errors that end a request or a stream; all others end the connection. */
const OF_STREAMS: ReadonlySet<Http3ErrorName> = new Set([
  "H3_REQUEST_REJECTED",
  "H3_REQUEST_CANCELLED",
  "H3_REQUEST_INCOMPLETE",
  "H3_MESSAGE_ERROR",
  "H3_CONNECT_ERROR",
  "WT_SESSION_GONE",
  "WT_BUFFERED_STREAM_REJECTED",
]);

/** The errors that are not about bad bytes from the peer. */
const CODES: Readonly<Partial<Record<Http3ErrorName, Code>>> = {
  H3_NO_ERROR: "canceled",
  H3_INTERNAL_ERROR: "internal",
  H3_EXCESSIVE_LOAD: "resource_exhausted",
  H3_REQUEST_REJECTED: "unavailable",
  H3_REQUEST_CANCELLED: "canceled",
  WT_SESSION_GONE: "unavailable",
  WT_BUFFERED_STREAM_REJECTED: "resource_exhausted",
};

/** Whether only the request (or stream) ends, or the whole connection. */
export type Http3ErrorScope = "stream" | "connection";

/** Why a stream or a connection has to end; `http3Code` is the number for the peer. */
export class Http3Error extends WasimoffError {
  readonly http3Code: number;
  readonly scope: Http3ErrorScope;

  /** The scope is that of the RFC unless given. */
  constructor(
    readonly http3Name: Http3ErrorName,
    message: string,
    options?: { scope?: Http3ErrorScope; cause?: unknown },
  ) {
    super(CODES[http3Name] ?? "invalid_argument", message, options);
    this.http3Code = HTTP3_CODES[http3Name];
    this.scope = options?.scope ?? (OF_STREAMS.has(http3Name) ? "stream" : "connection");
  }
}
