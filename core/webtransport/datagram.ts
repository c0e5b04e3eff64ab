/** Datagrams of sessions: a quarter of the id of the CONNECT stream, then the payload (RFC 9297 2.1). */

import { Http3Error } from "./http3_error.ts";
import { readVarint, varintLength, writeVarint } from "./varint.ts";

/** Ids of streams that clients open for requests are multiples of four. */
const QUARTER = 4n;
/** A quarter of the largest id of a stream. */
const MAX_QUARTER = (1n << 60n) - 1n;

export interface SessionDatagram {
  readonly sessionId: bigint;
  /** A view of the bytes that were decoded. */
  readonly payload: Uint8Array;
}

/** How many bytes of each QUIC datagram are not for the payload. */
export function datagramOverhead(sessionId: bigint): number {
  return varintLength(sessionId / QUARTER);
}

/** The QUIC datagram that carries a payload of a session. */
export function encodeDatagram(sessionId: bigint, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(datagramOverhead(sessionId) + payload.length);
  bytes.set(payload, writeVarint(bytes, 0, sessionId / QUARTER));
  return bytes;
}

/** Throws an Http3Error for the connection when the id is cut short or that of no stream. */
export function decodeDatagram(bytes: Uint8Array): SessionDatagram {
  const quarter = readVarint(bytes);
  if (quarter === undefined || quarter.value > MAX_QUARTER) {
    throw new Http3Error("H3_DATAGRAM_ERROR", "read datagram: it names no stream");
  }
  return { sessionId: quarter.value * QUARTER, payload: bytes.subarray(quarter.next) };
}
