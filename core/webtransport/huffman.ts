/** The Huffman code of header fields (RFC 7541 5.2 and appendix B), as QPACK uses it. */

import { Http3Error } from "./http3_error.ts";

/**
 * Bits of the code of each byte, in order, and last of the sign that ends a text. Lengths say everything: codes
 * of one length count up in the order of the bytes, and shorter codes come first.
 */
// deno-fmt-ignore
const LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
] as const;

const END = 256;
const MAX_BITS = 30;

/** All symbols by length and then by value, and for each length the first code and where its symbols start. */
const SYMBOLS = [...LENGTHS.keys()].sort((a, b) => bitsOf(a) - bitsOf(b) || a - b);
const FIRST_CODE = new Uint32Array(MAX_BITS + 2);
const FIRST_SYMBOL = new Uint16Array(MAX_BITS + 2);
const CODES = new Uint32Array(LENGTHS.length);
for (let bits = 1, code = 0, index = 0; bits <= MAX_BITS; bits++, code *= 2) {
  FIRST_CODE[bits] = code;
  FIRST_SYMBOL[bits] = index;
  for (; index < SYMBOLS.length && bitsOf(SYMBOLS[index] as number) === bits; index++) {
    CODES[SYMBOLS[index] as number] = code++;
  }
  FIRST_SYMBOL[bits + 1] = index;
}

function bitsOf(symbol: number): number {
  return LENGTHS[symbol] as number;
}

/** How many bytes `encodeHuffman` makes of these. */
export function huffmanLength(bytes: Uint8Array): number {
  let bits = 0;
  for (const byte of bytes) bits += bitsOf(byte);
  return Math.ceil(bits / 8);
}

export function encodeHuffman(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const target = new Uint8Array(huffmanLength(bytes));
  let pending = 0; // at most 7 + 30 bits: more than shifts take, less than 2^53
  let pendingBits = 0;
  let at = 0;
  for (const byte of bytes) {
    pending = pending * 2 ** bitsOf(byte) + (CODES[byte] as number);
    for (pendingBits += bitsOf(byte); pendingBits >= 8; pendingBits -= 8) {
      const below = 2 ** (pendingBits - 8);
      target[at++] = Math.floor(pending / below);
      pending %= below;
    }
  }
  if (pendingBits > 0) target[at] = (pending + 1) * 2 ** (8 - pendingBits) - 1;
  return target;
}

/**
 * The bytes behind a code. Throws an Http3Error unless what is left at the end is less than a byte and all ones,
 * and for the sign of the end, which nobody may send.
 */
export function decodeHuffman(encoded: Uint8Array): Uint8Array {
  const target = new Uint8Array(Math.floor(encoded.length * 8 / 5)); // the shortest codes have five bits
  let at = 0;
  let code = 0;
  let bits = 0;
  for (const byte of encoded) {
    for (let mask = 0x80; mask > 0; mask >>= 1) {
      code = code * 2 + ((byte & mask) === 0 ? 0 : 1);
      bits++;
      const index = (FIRST_SYMBOL[bits] as number) + code - (FIRST_CODE[bits] as number);
      if (index >= (FIRST_SYMBOL[bits + 1] as number)) continue;
      const symbol = SYMBOLS[index] as number;
      if (symbol === END) throw failed("it contains the sign of the end");
      target[at++] = symbol;
      code = 0;
      bits = 0;
    }
  }
  if (bits > 7 || code !== 2 ** bits - 1) throw failed("it ends in the middle of a code");
  return target.subarray(0, at);
}

function failed(detail: string): Http3Error {
  return new Http3Error("QPACK_DECOMPRESSION_FAILED", `decode Huffman text: ${detail}`);
}
