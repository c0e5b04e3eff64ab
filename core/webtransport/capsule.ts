/** Capsules of a session's CONNECT stream: close and drain (RFC 9297 3, draft-ietf-webtrans-http3 5). */

import { cutText } from "../cut_text.ts";
import { Http3Error } from "./http3_error.ts";
import { encodeTlv, TlvReader, type Treatment } from "./tlv_reader.ts";

const CLOSE_SESSION = 0x2843n;
const DRAIN_SESSION = 0x78aen;

/** The code in front of the reason. */
const CODE_BYTES = 4;
/** The limit of the draft. */
export const MAX_CLOSE_REASON_BYTES = 1024;

/** `code` has 32 bits. */
export type Capsule =
  | { readonly type: "close"; readonly code: number; readonly reason: string }
  | { readonly type: "drain" };

/**
 * Reads the payloads of DATA frames of a CONNECT stream. Skips unknown capsules without buffering them, and
 * datagrams in capsules: with QUIC, datagrams travel by themselves. Throws an Http3Error for the stream.
 */
export class CapsuleReader {
  readonly #reader = new TlvReader((type, length) => treat(type, length));
  #closed = false;

  /** The capsules that a chunk completes. To be iterated to the end. Nothing may follow the one that closes. */
  *push(chunk: Uint8Array): Generator<Capsule, void, undefined> {
    if (this.#closed && chunk.length > 0) throw malformed("bytes follow the end of the session");
    for (const { type, payload } of this.#reader.push(chunk)) {
      if (this.#closed) throw malformed("a capsule follows the end of the session");
      this.#closed = type === CLOSE_SESSION;
      yield this.#closed ? readClose(payload) : { type: "drain" };
    }
  }

  /** To be called at the end of the stream: throws when that is in the middle of a capsule. */
  end(): void {
    if (this.#reader.inside) throw malformed("the stream ends inside of one");
  }
}

function treat(type: bigint, length: number): Treatment {
  if (type === CLOSE_SESSION) {
    if (length < CODE_BYTES || length > CODE_BYTES + MAX_CLOSE_REASON_BYTES) {
      throw malformed(`one that closes the session has ${length} bytes`);
    }
    return "keep";
  }
  if (type !== DRAIN_SESSION) return "skip";
  if (length > 0) throw malformed(`one that drains the session has ${length} bytes`);
  return "keep";
}

function readClose(payload: Uint8Array): Capsule {
  const code = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return { type: "close", code, reason: decoder.decode(payload.subarray(CODE_BYTES)) };
  } catch (error) {
    throw new Http3Error("H3_MESSAGE_ERROR", "read capsules: the reason of an end is no UTF-8", {
      cause: error,
    });
  }
}

function malformed(detail: string): Http3Error {
  return new Http3Error("H3_MESSAGE_ERROR", `read capsules: ${detail}`);
}

/** The capsule that ends a session. The reason is cut at its limit. RangeError for a code that has not 32 bits. */
export function encodeClose(code: number, reason: string): Uint8Array<ArrayBuffer> {
  if (!Number.isInteger(code) || code < 0 || code > 0xffff_ffff) {
    throw new RangeError(`a code has 32 bits, not ${code}`);
  }
  const text = new TextEncoder().encode(cutText(reason, MAX_CLOSE_REASON_BYTES));
  const payload = new Uint8Array(CODE_BYTES + text.length);
  new DataView(payload.buffer).setUint32(0, code);
  payload.set(text, CODE_BYTES);
  return encodeTlv(CLOSE_SESSION, payload);
}

/** The capsule that asks the peer to end the session soon. */
export function encodeDrain(): Uint8Array<ArrayBuffer> {
  return encodeTlv(DRAIN_SESSION, new Uint8Array(0));
}
