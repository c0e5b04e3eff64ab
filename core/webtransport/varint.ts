/** Integers of QUIC: 1, 2, 4 or 8 bytes of which the two highest bits tell the length (RFC 9000 16). */

/** The largest value: 62 bits. */
export const MAX_VARINT = (1n << 62n) - 1n;

/** A value, and the offset of the first byte behind it. */
export interface Varint {
  readonly value: bigint;
  readonly next: number;
}

/** How many bytes the integer that starts with this byte has: 1, 2, 4 or 8. */
export function varintLengthFrom(firstByte: number): number {
  return 1 << (firstByte >> 6);
}

/** How many bytes the value needs. RangeError when it is negative or has more than 62 bits. */
export function varintLength(value: bigint | number): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0 || value > MAX_VARINT) {
    throw new RangeError(`a varint has 0 to 62 bits, not ${value}`);
  }
  return number < 0x40 ? 1 : number < 0x4000 ? 2 : number < 0x4000_0000 ? 4 : 8;
}

/** Reads one integer at an offset; undefined while bytes are missing. Longer forms than needed are fine. */
export function readVarint(bytes: Uint8Array, at = 0): Varint | undefined {
  const first = bytes[at];
  if (first === undefined) return undefined;
  const length = varintLengthFrom(first);
  const next = at + length;
  if (next > bytes.length) return undefined;
  const half = Math.min(length, 4);
  const high = unsigned(bytes, at, half) - (first & 0xc0) * 256 ** (half - 1);
  const value = length === 8 ? BigInt(high) << 32n | BigInt(unsigned(bytes, at + 4, 4)) : BigInt(high);
  return { value, next };
}

/** Big-endian; multiplication, because shifts end at 31 bits. */
function unsigned(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let index = at; index < at + length; index++) value = value * 256 + (bytes[index] as number);
  return value;
}

/** Writes the shortest form at an offset; answers the offset behind it. There must be room. */
export function writeVarint(target: Uint8Array, at: number, value: bigint | number): number {
  const length = varintLength(value);
  const half = Math.min(length, 4);
  const isLong = length === 8;
  writeUnsigned(target, at, { value: Number(isLong ? BigInt(value) >> 32n : value), length: half });
  if (isLong) writeUnsigned(target, at + 4, { value: Number(BigInt(value) & 0xffff_ffffn), length: half });
  target[at] = (target[at] as number) | Math.log2(length) << 6;
  return at + length;
}

/** Big-endian. */
function writeUnsigned(
  target: Uint8Array,
  at: number,
  { value, length }: { value: number; length: number },
): void {
  for (let index = 0; index < length; index++) target[at + index] = value >>> 8 * (length - 1 - index);
}

/** The shortest form of each value, one behind the other. */
export function encodeVarints(...values: readonly (bigint | number)[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.reduce<number>((sum, value) => sum + varintLength(value), 0));
  let at = 0;
  for (const value of values) at = writeVarint(bytes, at, value);
  return bytes;
}
