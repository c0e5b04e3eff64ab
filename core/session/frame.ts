/**
 * Frames of wasimoff_v2 as bytes (core/protocol/README.md, "Frames"). The first byte is the type, integers
 * are big-endian.
 */

import { type Code, codeFromNumber, codeNumber, WasimoffError } from "../errors.ts";
import { cutText } from "../cut_text.ts";
import {
  INITIAL_CREDIT_BYTES,
  MAX_FRAME_BYTES,
  MAX_PAYLOAD_BYTES,
  MAX_REASON_BYTES,
} from "../protocol/limits.ts";

export const FRAME_HELLO = 0x01;
export const FRAME_WELCOME = 0x02;
export const FRAME_REFUSAL = 0x03;
export const FRAME_MESSAGE = 0x10;
export const FRAME_DATA = 0x11;
export const FRAME_END = 0x12;
export const FRAME_ABORT = 0x13;
export const FRAME_CREDIT = 0x14;
export const FRAME_STOP = 0x15;
export const FRAME_ACK = 0x20;
export const FRAME_GOODBYE = 0x21;

export type Frame =
  | { readonly type: typeof FRAME_HELLO; readonly body: Uint8Array }
  | { readonly type: typeof FRAME_WELCOME; readonly body: Uint8Array }
  | { readonly type: typeof FRAME_REFUSAL; readonly body: Uint8Array }
  | { readonly type: typeof FRAME_MESSAGE; readonly body: Uint8Array }
  | {
    readonly type: typeof FRAME_DATA;
    readonly stream: number;
    readonly offset: number;
    readonly body: Uint8Array;
    /** Of a sender: nobody needs the body any more, nor what was sent of the same chunk before. */
    readonly done?: () => void;
  }
  | { readonly type: typeof FRAME_END; readonly stream: number; readonly length: number }
  | {
    readonly type: typeof FRAME_ABORT;
    readonly stream: number;
    readonly code: Code;
    readonly reason: string;
  }
  | { readonly type: typeof FRAME_CREDIT; readonly stream: number; readonly limit: number }
  | {
    readonly type: typeof FRAME_STOP;
    readonly stream: number;
    readonly code: Code;
    readonly reason: string;
  }
  | { readonly type: typeof FRAME_GOODBYE; readonly code: Code; readonly reason: string }
  | { readonly type: typeof FRAME_ACK; readonly received: number };

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Frame as bytes; throws RangeError for a payload that is larger than a frame may be. */
export function encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  switch (frame.type) {
    case FRAME_HELLO:
    case FRAME_WELCOME:
    case FRAME_REFUSAL:
    case FRAME_MESSAGE:
      return withBody(frame.type, 1, frame.body);
    case FRAME_DATA: { // type, stream u32, offset u64, bytes
      const bytes = withBody(frame.type, DATA_HEAD_BYTES, frame.body);
      const view = new DataView(bytes.buffer);
      view.setUint32(1, frame.stream);
      setUint53(view, 5, frame.offset);
      return bytes;
    }
    case FRAME_END: // type, stream u32, length u64
      return withNumber(frame.type, frame.stream, frame.length);
    case FRAME_CREDIT: // type, stream u32, limit u64
      return withNumber(frame.type, frame.stream, frame.limit);
    case FRAME_ABORT: // type, stream u32, code u8, reason
    case FRAME_STOP: {
      const bytes = withBody(frame.type, 6, reasonBytes(frame.reason));
      new DataView(bytes.buffer).setUint32(1, frame.stream);
      bytes[5] = codeNumber(frame.code);
      return bytes;
    }
    case FRAME_GOODBYE: { // type, code u8, reason
      const bytes = withBody(frame.type, 2, reasonBytes(frame.reason));
      bytes[1] = codeNumber(frame.code);
      return bytes;
    }
    case FRAME_ACK: { // type, count u64
      const bytes = new Uint8Array(9);
      bytes[0] = frame.type;
      setUint53(new DataView(bytes.buffer), 1, frame.received);
      return bytes;
    }
    default:
      return frame satisfies never;
  }
}

/** Reads a frame; its body is a view. Throws `invalid_argument` for bytes that are none. */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (bytes.length === 0) throw malformed("empty");
  if (bytes.length > MAX_FRAME_BYTES) throw malformed(`${bytes.length} bytes long`);
  const type = bytes[0]!;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (type) {
    case FRAME_HELLO:
    case FRAME_WELCOME:
    case FRAME_REFUSAL:
    case FRAME_MESSAGE:
      return { type, body: payload(bytes, 1) };
    case FRAME_DATA:
      need(bytes, 14);
      return {
        type,
        stream: view.getUint32(1),
        offset: getUint53(view, 5),
        body: payload(bytes, DATA_HEAD_BYTES),
      };
    case FRAME_END:
      exactly(bytes, 13);
      return { type, stream: view.getUint32(1), length: getUint53(view, 5) };
    case FRAME_CREDIT:
      exactly(bytes, 13);
      return { type, stream: view.getUint32(1), limit: getUint53(view, 5) };
    case FRAME_ABORT:
    case FRAME_STOP:
      need(bytes, 6);
      return {
        type,
        stream: view.getUint32(1),
        code: codeFromNumber(bytes[5]!),
        reason: text(bytes.subarray(6)),
      };
    case FRAME_GOODBYE:
      need(bytes, 2);
      return { type, code: codeFromNumber(bytes[1]!), reason: text(bytes.subarray(2)) };
    case FRAME_ACK:
      exactly(bytes, 9);
      return { type, received: getUint53(view, 1) };
    default:
      throw malformed(`of unknown type ${type}`);
  }
}

/** What comes before the body of a DATA frame. */
export const DATA_HEAD_BYTES = 13;

/** Bodies below this are copied: that costs less than a second buffer on all their way. */
const MIN_SEPARATE_BYTES = 8 * 1024;

/**
 * Whether the body of a DATA frame may be kept and sent as it is, behind `encodeDataHead`. A small part of a large
 * buffer may not: until it is acknowledged it would keep all of that.
 */
export function isSeparable({ length, buffer }: Uint8Array): boolean {
  return length >= MIN_SEPARATE_BYTES && length * 2 >= buffer.byteLength;
}

/** What comes before the body of a DATA frame. */
export function encodeDataHead(stream: number, offset: number): Uint8Array<ArrayBuffer> {
  return withNumber(FRAME_DATA, stream, offset);
}

/** Whether a frame is counted, acknowledged and replayed: the types from 0x10 to 0x1f. */
export function isSequenced(type: Frame["type"]): boolean {
  return type >= FRAME_MESSAGE && type < FRAME_ACK;
}

/**
 * The stream on whose lane a frame of ours may travel, else 0. DATA from INITIAL_CREDIT_BYTES on, and END beyond
 * it, cannot be sent before a CREDIT came, so the receiver knows the stream.
 */
export function laneOf(bytes: Uint8Array): number {
  const type = bytes[0];
  if (type !== FRAME_DATA && type !== FRAME_END) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const position = getUint53(view, 5);
  const large = type === FRAME_DATA ? position >= INITIAL_CREDIT_BYTES : position > INITIAL_CREDIT_BYTES;
  return large ? view.getUint32(1) : 0;
}

function withBody(type: number, header: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  if (body.length > MAX_PAYLOAD_BYTES) {
    throw new RangeError(`frame body of ${body.length} bytes is too large`);
  }
  const bytes = new Uint8Array(header + body.length);
  bytes[0] = type;
  bytes.set(body, header);
  return bytes;
}

function withNumber(type: number, stream: number, number: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(13);
  bytes[0] = type;
  const view = new DataView(bytes.buffer);
  view.setUint32(1, stream);
  setUint53(view, 5, number);
  return bytes;
}

function setUint53(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, Math.floor(value / 2 ** 32));
  view.setUint32(offset + 4, value >>> 0);
}

function getUint53(view: DataView, offset: number): number {
  const value = view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4);
  if (value > Number.MAX_SAFE_INTEGER) throw malformed("with a number above 2^53");
  return value;
}

function reasonBytes(reason: string): Uint8Array {
  return encoder.encode(cutText(reason, MAX_REASON_BYTES));
}

/** A longer reason than ours may be is cut, not refused: it is for people only. */
function text(bytes: Uint8Array): string {
  return decoder.decode(bytes.subarray(0, MAX_REASON_BYTES));
}

function payload(bytes: Uint8Array, header: number): Uint8Array {
  if (bytes.length - header > MAX_PAYLOAD_BYTES) {
    throw malformed(`with ${bytes.length - header} bytes inside`);
  }
  return bytes.subarray(header);
}

function need(bytes: Uint8Array, length: number): void {
  if (bytes.length < length) throw malformed(`of type ${bytes[0]} with ${bytes.length} bytes`);
}

function exactly(bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw malformed(`of type ${bytes[0]} with ${bytes.length} bytes`);
}

function malformed(what: string): WasimoffError {
  return new WasimoffError("invalid_argument", `received a frame ${what}`);
}
