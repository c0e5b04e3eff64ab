/** Items of type, length and payload from chunks: the layout of frames (RFC 9114 7.1) and capsules (RFC 9297 3.2). */

import { encodeVarints, readVarint } from "./varint.ts";

/** Two integers of eight bytes. */
const MAX_HEADER_BYTES = 16;
/** A kept payload begins with this much room and grows with what arrives: a length alone costs nothing. */
const FIRST_ROOM_BYTES = 256;

/** What to do with a payload: collect it, hand on its pieces as they come, or drop it. */
export type Treatment = "keep" | "stream" | "skip";

/** A whole payload of an item that is kept, or a piece of one that is streamed. */
export interface Item {
  readonly type: bigint;
  /** A view of the chunk when streamed, else memory of its own. */
  readonly payload: Uint8Array;
}

/** Takes bytes in chunks of any size. What it buffers is bounded by what `treat` agrees to keep. */
export class TlvReader {
  readonly #treat: (type: bigint, length: number) => Treatment;
  readonly #header = new Uint8Array(MAX_HEADER_BYTES);
  #headerBytes = 0;
  #type = 0n;
  #treatment: Treatment | undefined;
  /** Bytes of the payload that have not come yet. Beyond 2^53 it is not exact, and such an end never comes. */
  #missing = 0;
  #payload = new Uint8Array(0);
  #payloadBytes = 0;

  /** `treat` is asked once for each item as soon as its length is known; what it throws reaches `push`. */
  constructor(treat: (type: bigint, length: number) => Treatment) {
    this.#treat = treat;
  }

  /** Whether the last item has begun and not ended. */
  get inside(): boolean {
    return this.#headerBytes > 0 || this.#treatment !== undefined;
  }

  /** The items that a chunk completes. To be iterated to the end; after it has thrown, not to be used again. */
  *push(chunk: Uint8Array): Generator<Item, void, undefined> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#treatment === undefined) at = this.#takeHeader(chunk, at);
      else {
        const piece = chunk.subarray(at, at + Math.min(this.#missing, chunk.length - at));
        at += piece.length;
        this.#missing -= piece.length;
        if (this.#treatment === "keep") this.#collect(piece);
        else if (this.#treatment === "stream") yield { type: this.#type, payload: piece };
      }
      if (this.#treatment !== undefined && this.#missing === 0) yield* this.#finish();
    }
  }

  #takeHeader(chunk: Uint8Array, at: number): number {
    this.#header[this.#headerBytes++] = chunk[at] as number;
    const header = this.#header.subarray(0, this.#headerBytes);
    const type = readVarint(header);
    const length = type === undefined ? undefined : readVarint(header, type.next);
    if (type !== undefined && length !== undefined) {
      this.#headerBytes = 0;
      this.#type = type.value;
      this.#missing = Number(length.value);
      this.#treatment = this.#treat(this.#type, this.#missing);
    }
    return at + 1;
  }

  #collect(piece: Uint8Array): void {
    const needed = this.#payloadBytes + piece.length;
    if (needed > this.#payload.length) {
      const room = Math.max(needed, 2 * this.#payload.length, FIRST_ROOM_BYTES);
      const grown = new Uint8Array(Math.min(room, needed + this.#missing));
      grown.set(this.#payload.subarray(0, this.#payloadBytes));
      this.#payload = grown;
    }
    this.#payload.set(piece, this.#payloadBytes);
    this.#payloadBytes = needed;
  }

  *#finish(): Generator<Item, void, undefined> {
    const item = { type: this.#type, payload: this.#payload.subarray(0, this.#payloadBytes) };
    const kept = this.#treatment === "keep";
    this.#treatment = undefined;
    this.#payload = new Uint8Array(0);
    this.#payloadBytes = 0;
    if (kept) yield item;
  }
}

/** One item as bytes. */
export function encodeTlv(type: bigint, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = encodeVarints(type, payload.length);
  const bytes = new Uint8Array(header.length + payload.length);
  bytes.set(header);
  bytes.set(payload, header.length);
  return bytes;
}
