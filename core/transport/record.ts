/**
 * Frames on a stream of bytes (core/protocol/README.md, "WebTransport"): length of the frame u32, its number
 * u64 (0 for none), the frame. Integers are big-endian.
 */

import { WasimoffError } from "../errors.ts";
import { MAX_FRAME_BYTES } from "../protocol/limits.ts";

export const RECORD_HEADER_BYTES = 12;

export interface RecordHeader {
  readonly length: number;
  readonly number: number;
}

/** Writes a record at an offset and returns the offset behind it. */
export function writeRecord(to: Uint8Array, offset: number, frame: Uint8Array, number: number): number {
  const view = new DataView(to.buffer, to.byteOffset + offset, RECORD_HEADER_BYTES);
  view.setUint32(0, frame.length);
  view.setUint32(4, Math.floor(number / 2 ** 32));
  view.setUint32(8, number >>> 0);
  to.set(frame, offset + RECORD_HEADER_BYTES);
  return offset + RECORD_HEADER_BYTES + frame.length;
}

/** Reads the header at an offset. Throws `out_of_range` for a frame that is too long, before any of it is kept. */
export function readRecordHeader(from: Uint8Array, offset: number): RecordHeader {
  const view = new DataView(from.buffer, from.byteOffset + offset, RECORD_HEADER_BYTES);
  const length = view.getUint32(0);
  if (length > MAX_FRAME_BYTES) {
    throw new WasimoffError("out_of_range", `peer sent a frame above ${MAX_FRAME_BYTES} bytes`);
  }
  const number = view.getUint32(4) * 2 ** 32 + view.getUint32(8);
  if (number > Number.MAX_SAFE_INTEGER) {
    throw new WasimoffError("invalid_argument", "peer sent a frame with a number above 2^53");
  }
  return { length, number };
}
