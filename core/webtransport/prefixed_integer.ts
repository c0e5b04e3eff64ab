/** Integers that begin in the lower bits of a byte (RFC 7541 5.1), as QPACK uses them. */

import { Http3Error } from "./http3_error.ts";

/** Seven bits in each further byte; nothing that fits in a field section needs more than 2^35. */
const MAX_FURTHER_BYTES = 5;

/** An integer, and the offset of the first byte behind it. */
export interface PrefixedInteger {
  readonly value: number;
  readonly next: number;
}

/** Reads the integer whose first bits are the lowest `prefixBits` of the byte at an offset. */
export function readPrefixedInteger(bytes: Uint8Array, at: number, prefixBits: number): PrefixedInteger {
  const mask = 2 ** prefixBits - 1;
  let value = byteAt(bytes, at) & mask;
  if (value < mask) return { value, next: at + 1 };
  for (let index = 0; index < MAX_FURTHER_BYTES; index++) {
    const byte = byteAt(bytes, at + 1 + index);
    value += (byte & 0x7f) * 128 ** index;
    if (byte < 0x80) return { value, next: at + 2 + index };
  }
  throw new Http3Error("QPACK_DECOMPRESSION_FAILED", "decode header fields: an integer is too large");
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte !== undefined) return byte;
  throw new Http3Error("QPACK_DECOMPRESSION_FAILED", "decode header fields: they end in the middle of one");
}

/** Appends an integer; `flags` are the bits above the prefix in its first byte. */
export function appendPrefixedInteger(
  target: number[],
  value: number,
  { flags, prefixBits }: { flags: number; prefixBits: number },
): void {
  const mask = 2 ** prefixBits - 1;
  if (value < mask) {
    target.push(flags | value);
    return;
  }
  target.push(flags | mask);
  let rest = value - mask;
  for (; rest >= 128; rest = Math.floor(rest / 128)) target.push(rest % 128 | 0x80);
  target.push(rest);
}
