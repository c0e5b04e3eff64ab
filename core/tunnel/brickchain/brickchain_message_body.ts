/**
 * Bytes of a binary WebSocket message as the raw string that a ws-message carries (brickchain.md 2 and 7.4). Bytes
 * that are UTF-8 are that text, as at existing programs. Any other byte is the lone surrogate U+DC00 plus the byte,
 * which no text contains: peers of ours get every byte back, existing ones the replacement character that they get
 * from each other.
 */

const ESCAPE = 0xdc00;
const fatal = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
/** Bounds the arguments of one call. */
const CHUNK = 8_192;

export function bytesToBody(bytes: Uint8Array): string {
  try {
    return fatal.decode(bytes);
  } catch {
    return escapeInvalid(bytes); // not UTF-8 as a whole
  }
}

export function bodyToBytes(body: string): Uint8Array<ArrayBuffer> {
  if (body.isWellFormed()) return encoder.encode(body);
  const bytes = new Uint8Array(body.length * 3);
  let length = 0;
  for (const piece of body.split(/([\udc80-\udcff])/u)) {
    const code = piece.length === 1 ? piece.charCodeAt(0) : 0;
    if (code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff) bytes[length++] = code - ESCAPE;
    else length += encoder.encodeInto(piece, bytes.subarray(length)).written;
  }
  return bytes.slice(0, length);
}

function escapeInvalid(bytes: Uint8Array): string {
  const pieces: string[] = [];
  let points: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = characterLength(bytes, at);
    points.push(length === 0 ? ESCAPE + bytes[at]! : codePoint(bytes, at, length));
    at += Math.max(length, 1);
    if (points.length < CHUNK && at < bytes.length) continue;
    pieces.push(String.fromCodePoint(...points));
    points = [];
  }
  return pieces.join("");
}

/** Bytes of the character that begins there (RFC 3629 4); 0 when none does. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i] ?? 0;
    if (byte < (i === 1 ? lowest : 0x80) || byte > (i === 1 ? highest : 0xbf)) return 0;
  }
  return length;
}

function codePoint(bytes: Uint8Array, at: number, length: number): number {
  let point = length === 1 ? bytes[at]! : bytes[at]! & (0xff >> (length + 1));
  for (let i = 1; i < length; i++) point = point << 6 | bytes[at + i]! & 0x3f;
  return point;
}
