/** Base32 of RFC 4648, as ids of keys are written. */

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** Lower case, without padding. */
export function base32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8 | byte) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += ALPHABET[held >> (bits - 5) & 31];
  }
  return bits === 0 ? text : text + ALPHABET[held << (5 - bits) & 31];
}
