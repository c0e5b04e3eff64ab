/** Frames of HTTP/3 on the control stream and on request streams (RFC 9114 7), and the rules of their order. */

import { Http3Error } from "./http3_error.ts";
import { WEBTRANSPORT_STREAM } from "./stream_header.ts";
import { encodeTlv, type Item, TlvReader, type Treatment } from "./tlv_reader.ts";

export const FRAME_TYPE = {
  DATA: 0x0n,
  HEADERS: 0x1n,
  CANCEL_PUSH: 0x3n,
  SETTINGS: 0x4n,
  PUSH_PROMISE: 0x5n,
  GOAWAY: 0x7n,
  MAX_PUSH_ID: 0xdn,
} as const;

/** Types that HTTP/2 used for what QUIC does: never in HTTP/3 (RFC 9114 7.2.8). */
const OF_HTTP2: ReadonlySet<bigint> = new Set([0x2n, 0x6n, 0x8n, 0x9n]);
const KNOWN: ReadonlySet<bigint> = new Set(Object.values(FRAME_TYPE));

const ON_CONTROL: ReadonlyMap<bigint, Treatment> = new Map([
  [FRAME_TYPE.SETTINGS, "keep"],
  [FRAME_TYPE.GOAWAY, "keep"],
  [FRAME_TYPE.CANCEL_PUSH, "skip"],
  [FRAME_TYPE.MAX_PUSH_ID, "skip"],
]);
const ON_REQUEST: ReadonlyMap<bigint, Treatment> = new Map([
  [FRAME_TYPE.HEADERS, "keep"],
  [FRAME_TYPE.DATA, "stream"],
]);

/** Settings are a few dozen bytes, a GOAWAY at most eight. */
const MAX_CONTROL_FRAME_BYTES = 4 * 1024;
/** Header fields of one request or answer, compressed: as much as usual servers of HTTP/1 take. */
const MAX_HEADERS_FRAME_BYTES = 16 * 1024;

/** `payload`: whole for SETTINGS, GOAWAY and HEADERS; for DATA, the next piece, a view of the chunk. */
export type Frame = Item;

/**
 * Reads the frames of one stream. Skips unknown ones, and those about pushes, without buffering them. Throws an
 * Http3Error for what may not come on such a stream or not at this place.
 */
export class FrameReader {
  readonly #kind: "control" | "request";
  readonly #maxFrameBytes: number;
  readonly #reader = new TlvReader((type, length) => this.#treat(type, length));
  /** SETTINGS of a control stream, or HEADERS of a request. */
  #opened = false;

  /** The limit is for payloads that are handed over whole. */
  constructor(
    kind: "control" | "request",
    maxFrameBytes = kind === "control" ? MAX_CONTROL_FRAME_BYTES : MAX_HEADERS_FRAME_BYTES,
  ) {
    this.#kind = kind;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** The frames that a chunk completes, and pieces of DATA. To be iterated to the end. */
  push(chunk: Uint8Array): Generator<Frame, void, undefined> {
    return this.#reader.push(chunk);
  }

  /** To be called at the end of the stream: throws when that is in the middle of a frame. */
  end(): void {
    if (this.#reader.inside) {
      throw new Http3Error("H3_FRAME_ERROR", "read frames: the stream ends inside of one");
    }
  }

  #treat(type: bigint, length: number): Treatment {
    const table = this.#kind === "control" ? ON_CONTROL : ON_REQUEST;
    const treatment = table.get(type);
    const isFirst = !this.#opened;
    if (isFirst && this.#kind === "control" && type !== FRAME_TYPE.SETTINGS) {
      throw new Http3Error("H3_MISSING_SETTINGS", "read control stream: it does not begin with settings");
    }
    if (type === WEBTRANSPORT_STREAM) {
      throw new Http3Error(
        "H3_FRAME_ERROR",
        "read frames: the header of a WebTransport stream is among them",
      );
    }
    if (treatment === undefined) {
      if (KNOWN.has(type) || OF_HTTP2.has(type)) this.#refuse(type);
      return "skip";
    }
    if (type === FRAME_TYPE.DATA && isFirst) this.#refuse(type);
    if (type === FRAME_TYPE.SETTINGS && !isFirst) this.#refuse(type);
    if (treatment === "keep") this.#checkLength(type, length);
    this.#opened = true;
    return treatment;
  }

  #refuse(type: bigint): never {
    throw new Http3Error(
      "H3_FRAME_UNEXPECTED",
      `read ${this.#kind} stream: a frame of type ${type} may not come here`,
    );
  }

  #checkLength(type: bigint, length: number): void {
    if (length <= this.#maxFrameBytes) return;
    const scope = this.#kind === "control" ? "connection" : "stream";
    throw new Http3Error(
      "H3_EXCESSIVE_LOAD",
      `read ${this.#kind} stream: a frame of type ${type} has ${length} bytes, more than ${this.#maxFrameBytes}`,
      { scope },
    );
  }
}

/** One frame as bytes. */
export function encodeFrame(type: bigint, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodeTlv(type, payload);
}
