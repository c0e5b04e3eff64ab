/** Codes of applications among those of HTTP/3 (draft-ietf-webtrans-http3 4.3), for resets of streams. */

/** What code 0 becomes. */
const FIRST = 0x52e4a40fa8db;
/** Every 31st number of the range is one that HTTP/3 keeps free (RFC 9114 8.1). */
const BETWEEN_RESERVED = 30;
const MAX_CODE = 0xffff_ffff;
const LAST = FIRST + MAX_CODE + Math.floor(MAX_CODE / BETWEEN_RESERVED);

/** The number on the wire for a code of 32 bits. RangeError for other codes. */
export function toHttp3Code(code: number): number {
  if (!Number.isInteger(code) || code < 0 || code > MAX_CODE) {
    throw new RangeError(`a code has 32 bits, not ${code}`);
  }
  return FIRST + code + Math.floor(code / BETWEEN_RESERVED);
}

/** The code behind a number from the wire; undefined when it is none of an application. */
export function toApplicationCode(http3Code: number): number | undefined {
  if (!Number.isInteger(http3Code) || http3Code < FIRST || http3Code > LAST) return undefined;
  const shifted = http3Code - FIRST;
  const reserved = shifted % (BETWEEN_RESERVED + 1) === BETWEEN_RESERVED;
  return reserved ? undefined : shifted - Math.floor(shifted / (BETWEEN_RESERVED + 1));
}
