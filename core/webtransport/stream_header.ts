/** How streams of HTTP/3 begin: their types (RFC 9114 6.2, RFC 9204 4.2) and those of WebTransport sessions. */

import { encodeVarints } from "./varint.ts";

/** The first integer of a unidirectional stream. Others are unknown: nobody reads such a stream. */
export const STREAM_TYPE = {
  CONTROL: 0x00n,
  PUSH: 0x01n,
  QPACK_ENCODER: 0x02n,
  QPACK_DECODER: 0x03n,
  /** The id of the session follows, then the data (draft-ietf-webtrans-http3 4.2). */
  WEBTRANSPORT: 0x54n,
} as const;

/**
 * The first integer of a bidirectional stream of a session: the id of the session follows, then the data
 * (draft-ietf-webtrans-http3 4.3). Any other first integer is the type of the first frame of a request.
 */
export const WEBTRANSPORT_STREAM = 0x41n;

/** The bytes in front of the data of a stream of a session. */
export function encodeStreamHeader(
  kind: "bidirectional" | "unidirectional",
  sessionId: bigint,
): Uint8Array<ArrayBuffer> {
  return encodeVarints(kind === "bidirectional" ? WEBTRANSPORT_STREAM : STREAM_TYPE.WEBTRANSPORT, sessionId);
}
