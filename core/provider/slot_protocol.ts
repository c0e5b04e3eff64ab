/** The frames between a provider and its slots: u32 length of the payload, u8 type, payload; big endian. */

import { WasimoffError } from "../errors.ts";

/** Of a payload. Bounds what one header can make the reader allocate; arguments and environment must fit. */
export const MAX_FRAME_BYTES = 1024 * 1024;
/** Of the payload of a stream's frame: a pipe holds 64 KiB, more would only wait. */
export const CHUNK_BYTES = 64 * 1024;
/** Input on the way to a guest that does not read; granted anew as it is read. */
export const STDIN_WINDOW_BYTES = 256 * 1024;
export const HEADER_BYTES = 5;

export const FRAME = {
  /** To the slot: a task (`RunHeader` as JSON). One at a time, answered by `DONE`. */
  RUN: 1,
  /**
   * To the slot: u32 size of the file that `NEED` asked for; `FILE_CHUNK`s of that size in all follow. A Python slot
   * gets those of its interpreter unasked, before it is ready.
   */
  FILE: 2,
  FILE_CHUNK: 3,
  /** To the slot: the file cannot be had, the task ends. */
  FILE_FAILED: 4,
  /** To the slot: bytes for the guest's stdin, at most as many as granted. Without a task they are dropped. */
  STDIN: 5,
  STDIN_END: 6,
  /** To the provider: started and warm; the first frame of a slot. */
  READY: 16,
  /** To the provider: the ref of a file of the task that the slot does not hold, as text. */
  NEED: 17,
  /** To the provider, only after a `NEED`: everything is there, the guest's time starts now. */
  STARTED: 18,
  STDOUT: 19,
  STDERR: 20,
  /** To the provider: a part of the ZIP of artifacts; the guest has ended. */
  ARTIFACTS: 21,
  /** To the provider: u32 number of bytes of stdin that the guest has read. */
  CREDIT: 22,
  /** To the provider: the end of the task (`DoneHeader` as JSON). */
  DONE: 23,
  /** To the provider, after the guest's end: a part of the pickle of a Python program's result. */
  RESULT: 24,
  /** To the provider, where artifacts were asked for: the guest has ended, they are packed now. */
  ENDED: 25,
} as const;

export type FrameType = typeof FRAME[keyof typeof FRAME];

const TYPES: ReadonlySet<number> = new Set(Object.values(FRAME));

export interface Frame {
  readonly type: FrameType;
  /** A copy of its own. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** One frame as bytes. */
export function encodeFrame(type: FrameType, payload: Uint8Array = EMPTY): Uint8Array<ArrayBuffer> {
  if (payload.length > MAX_FRAME_BYTES) {
    throw new RangeError(`cannot frame ${payload.length} bytes: at most ${MAX_FRAME_BYTES} fit`);
  }
  const frame = new Uint8Array(HEADER_BYTES + payload.length);
  writeHeader(frame, type, payload.length);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/** Writes the header of a frame to the start of `target`. */
export function writeHeader(target: Uint8Array, type: FrameType, length: number): void {
  target[0] = length >>> 24;
  target[1] = length >>> 16;
  target[2] = length >>> 8;
  target[3] = length;
  target[4] = type;
}

/** A frame whose payload is one number of 32 bits. */
export function encodeNumber(type: FrameType, value: number): Uint8Array<ArrayBuffer> {
  const frame = encodeFrame(type, new Uint8Array(4));
  new DataView(frame.buffer).setUint32(HEADER_BYTES, value);
  return frame;
}

/** The number in a payload of 32 bits; `internal` when it has another size. */
export function decodeNumber(payload: Uint8Array): number {
  if (payload.length !== 4) throw broken(`a number has ${payload.length} bytes`);
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0);
}

/** Finds the frames in bytes that arrive in any pieces. */
export class FrameDecoder {
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  /** Of the frame whose header is complete; null between frames. */
  #payload: Uint8Array<ArrayBuffer> | null = null;
  #payloadBytes = 0;

  /**
   * The frames that end within `bytes`, which may be used again afterwards. Throws `internal` at a frame that is
   * too large or of unknown type, before anything is allocated for it; the decoder is of no use then.
   */
  push(bytes: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    let at = 0;
    while (at < bytes.length || this.#isComplete) {
      if (this.#payload === null) {
        at += this.#takeHeader(bytes, at);
        continue;
      }
      const part = bytes.subarray(at, at + this.#payload.length - this.#payloadBytes);
      this.#payload.set(part, this.#payloadBytes);
      this.#payloadBytes += part.length;
      at += part.length;
      if (this.#isComplete) frames.push(this.#finish(this.#payload));
    }
    return frames;
  }

  /** Whether nothing is left of a frame that has begun. */
  get isBetweenFrames(): boolean {
    return this.#payload === null && this.#headerBytes === 0;
  }

  get #isComplete(): boolean {
    return this.#payload !== null && this.#payloadBytes === this.#payload.length;
  }

  #takeHeader(bytes: Uint8Array, at: number): number {
    const part = bytes.subarray(at, at + HEADER_BYTES - this.#headerBytes);
    this.#header.set(part, this.#headerBytes);
    this.#headerBytes += part.length;
    if (this.#headerBytes < HEADER_BYTES) return part.length;
    const length = new DataView(this.#header.buffer).getUint32(0);
    const type = this.#header[4]!;
    if (!TYPES.has(type)) throw broken(`unknown frame type ${type}`);
    if (length > MAX_FRAME_BYTES) throw broken(`a frame has ${length} bytes, more than ${MAX_FRAME_BYTES}`);
    this.#payload = new Uint8Array(length);
    this.#payloadBytes = 0;
    return part.length;
  }

  #finish(payload: Uint8Array<ArrayBuffer>): Frame {
    const type = this.#header[4]! as FrameType;
    this.#payload = null;
    this.#headerBytes = 0;
    return { type, payload };
  }
}

const EMPTY = new Uint8Array();

/** The other side of a slot's pipe did not keep to the protocol. */
export function broken(what: string): WasimoffError {
  return new WasimoffError("internal", `cannot understand the other side of a slot: ${what}`);
}
