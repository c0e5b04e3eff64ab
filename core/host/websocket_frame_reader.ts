/** Reads binary messages of a WebSocket without copies, and leaves all that is rarer to ws. */

import { freeBuffer } from "../free_buffer.ts";
import { joinChunks } from "../join_chunks.ts";
import { MIN_FIRST_PIECE_BYTES } from "../session/connection.ts";

/** Smaller chunks are left to the garbage collector. */
const MIN_RELEASED_BYTES = 32 * 1024;

type OnData = (chunk: Uint8Array) => void;

/** Where the bytes of a WebSocket come from. */
export interface DataSource {
  listeners(event: "data"): unknown[];
  on(event: "data", listener: OnData): unknown;
  off(event: "data", listener: OnData): unknown;
}

export interface FrameReaderOptions {
  /** Whether the peer masks what it sends, as clients do. */
  readonly masked: boolean;
  /** Larger messages are left to ws. */
  readonly maxBytes: number;
  /** A message, in two pieces where it came so; the first one has MIN_FIRST_PIECE_BYTES then. */
  readonly onMessage: (first: Uint8Array, rest: Uint8Array | null) => void;
}

const FINAL_BINARY = 0x82;
const FINAL_CONTROL = 0x88;
const MASKED = 0x80;
/** Type and length of the longest control frame without its mask. */
const MAX_CONTROL_BYTES = 125;

/** Header of a frame (RFC 6455 5.2). */
interface Header {
  readonly bytes: number;
  /** Of the payload. */
  readonly length: number;
  /** Whether it is for us: a whole binary message whose mask changes nothing. */
  readonly ours: boolean;
  /** Whether what follows can be for us again. */
  readonly known: boolean;
}

/**
 * Takes the place of ws where bytes arrive. Whole binary messages are given on; ws gets pings, pongs, closes and messages with
 * a mask as they come, frame by frame, and everything from the first frame on that is none of these.
 */
export class FrameReader {
  readonly #options: FrameReaderOptions;
  readonly #others: readonly OnData[];
  readonly #source: DataSource;
  /** The beginning of a header. */
  #start: Uint8Array | null = null;
  /** Bytes of the frame under way that are for ws. */
  #foreign = 0;
  /** Bytes of the message under way that are still to come. */
  #missing = 0;
  /** What has come of it, while that is one piece. */
  #first: Uint8Array | null = null;
  /** What has come of it in more pieces: a flood of small ones must not keep a buffer each. */
  #joined: { readonly bytes: Uint8Array; filled: number } | null = null;
  #forwarding = false;
  /** Bytes of the large buffers that came which somebody may need. */
  readonly #needed = new WeakMap<ArrayBufferLike, number>();

  /** Takes the listeners of the source over. */
  constructor(source: DataSource, options: FrameReaderOptions) {
    this.#source = source;
    this.#options = options;
    this.#others = source.listeners("data") as OnData[];
    for (const listener of this.#others) source.off("data", listener);
    source.on("data", (chunk) => this.#read(chunk));
  }

  /** Whether ws was given what it says now: otherwise it has found bytes of its own, from within a frame. */
  get forwarding(): boolean {
    return this.#forwarding;
  }

  /** Nobody needs so many bytes of what was given in this buffer any more. */
  release(buffer: ArrayBufferLike, bytes: number): void {
    const needed = this.#needed.get(buffer);
    if (needed === undefined) return;
    if (needed > bytes) return void this.#needed.set(buffer, needed - bytes);
    this.#needed.delete(buffer);
    freeBuffer(buffer);
  }

  #read(chunk: Uint8Array): void {
    const bytes = this.#start === null ? chunk : joinChunks([this.#start, chunk]);
    if (chunk.length >= MIN_RELEASED_BYTES && bytes === chunk && chunk.length === chunk.buffer.byteLength) {
      this.#needed.set(chunk.buffer, chunk.length);
    }
    this.#start = null;
    for (let at = 0; at < bytes.length;) {
      const left = bytes.length - at;
      if (this.#foreign > 0) {
        const length = Math.min(left, this.#foreign);
        this.#foreign -= length;
        this.#forward(view(bytes, at, at + length));
        at += length;
      } else if (this.#missing > 0) {
        const length = Math.min(left, this.#missing);
        this.#missing -= length;
        this.#take(view(bytes, at, at + length));
        at += length;
      } else {
        const header = this.#header(bytes, at);
        if (header === null) return void (this.#start = bytes.slice(at));
        if (!header.known) this.#foreign = Infinity;
        else if (!header.ours) this.#foreign = header.bytes + header.length;
        else {
          at += header.bytes;
          this.release(bytes.buffer, header.bytes);
          this.#missing = header.length;
          if (header.length === 0) this.#options.onMessage(NOTHING, null);
        }
      }
    }
  }

  #header(bytes: Uint8Array, at: number): Header | null {
    const left = bytes.length - at;
    if (left < 2) return null;
    const [type, second] = [bytes[at]!, bytes[at + 1]!];
    const masked = (second & MASKED) !== 0;
    const short = second & 0x7f;
    const control = type >= FINAL_CONTROL && type <= FINAL_CONTROL + 2 && short <= MAX_CONTROL_BYTES;
    if ((type !== FINAL_BINARY && !control) || masked !== this.#options.masked) return UNKNOWN;
    const lengthBytes = short < 126 ? 0 : short === 126 ? 2 : 8;
    const headerBytes = 2 + lengthBytes + (masked ? 4 : 0);
    if (left < headerBytes) return null;
    let length = lengthBytes === 0 ? short : 0;
    for (let i = 0; i < lengthBytes; i++) length = length * 256 + bytes[at + 2 + i]!;
    if (length > this.#options.maxBytes) return UNKNOWN;
    const mask = at + headerBytes - 4;
    const plain = !masked || (bytes[mask]! | bytes[mask + 1]! | bytes[mask + 2]! | bytes[mask + 3]!) === 0;
    return { bytes: headerBytes, length, ours: !control && plain, known: true };
  }

  #take(piece: Uint8Array): void {
    const ends = this.#missing === 0;
    if (this.#first === null && this.#joined === null) {
      if (ends) this.#options.onMessage(piece, null);
      else this.#first = piece;
      return;
    }
    if (ends && this.#first !== null && this.#first.length >= MIN_FIRST_PIECE_BYTES) {
      const first = this.#first;
      this.#first = null;
      return this.#options.onMessage(first, piece);
    }
    this.#join(piece);
    if (!ends) return;
    const { bytes } = this.#joined!;
    this.#joined = null;
    this.#options.onMessage(bytes, null);
  }

  /** Grows with what comes: a length that is only announced must cost nothing. */
  #join(piece: Uint8Array): void {
    const { bytes, filled } = this.#joined ?? { bytes: this.#first!, filled: this.#first!.length };
    const needed = filled + piece.length;
    let whole = bytes;
    if (this.#joined === null || needed > bytes.length) {
      whole = new Uint8Array(Math.min(needed + this.#missing, Math.max(needed, filled * 2)));
      whole.set(bytes.subarray(0, filled));
    }
    whole.set(piece, filled);
    this.#joined = { bytes: whole, filled: needed };
    this.release(piece.buffer, piece.length);
    if (this.#first !== null) this.release(this.#first.buffer, this.#first.length);
    this.#first = null;
  }

  #forward(chunk: Uint8Array): void {
    this.#forwarding = true;
    for (const listener of this.#others) listener.call(this.#source, chunk);
    this.#forwarding = false;
  }
}

const NOTHING = new Uint8Array(0);
const UNKNOWN: Header = { bytes: 0, length: 0, ours: false, known: false };

/** Not `subarray`, which for a Buffer of node costs more. */
function view({ buffer, byteOffset }: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + from, to - from);
}
