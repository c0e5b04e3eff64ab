/** Header fields of requests and answers as bytes (RFC 9204 4.5), with the static table only. */

import { Http3Error } from "./http3_error.ts";
import { decodeHuffman, encodeHuffman, huffmanLength } from "./huffman.ts";
import { appendPrefixedInteger, readPrefixedInteger } from "./prefixed_integer.ts";
import { type HeaderField, STATIC_TABLE } from "./qpack_static_table.ts";

export interface FieldSectionLimits {
  /** Of names and values with 32 bytes for each field, as RFC 9114 4.2.2 counts. */
  readonly maxBytes: number;
  readonly maxFields: number;
}

/** As much as usual servers of HTTP/1 take. */
export const FIELD_SECTION_LIMITS: FieldSectionLimits = { maxBytes: 16 * 1024, maxFields: 128 };
const FIELD_OVERHEAD_BYTES = 32;

/** Names are tokens (RFC 9110 5.6.2) in lower case; those of control data begin with a colon. */
const NAME = /^:?[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** What could end a field where others read it (RFC 9114 10.3), and what is no byte. */
const NOT_IN_VALUE = /[\0\r\n]|[^\0-\xff]/;

/** Indexes of the static table by name and then by value. */
const INDEXES = new Map<string, Map<string, number>>();
for (const [index, [name, value]] of STATIC_TABLE.entries()) {
  INDEXES.set(name, (INDEXES.get(name) ?? new Map<string, number>()).set(value, index));
}

/**
 * Encodes the fields in order. Values have one character for each byte. TypeError for a name or a value that
 * may not be sent.
 */
export function encodeFieldSection(fields: readonly HeaderField[]): Uint8Array<ArrayBuffer> {
  const target = [0, 0]; // Required Insert Count and Base: there is no dynamic table
  for (const [name, value] of fields) {
    if (!NAME.test(name)) throw new TypeError(`encode header fields: "${name}" is no name in lower case`);
    if (NOT_IN_VALUE.test(value)) throw new TypeError(`encode header fields: bad value of "${name}"`);
    const known = INDEXES.get(name);
    const exact = known?.get(value);
    if (exact !== undefined) {
      appendPrefixedInteger(target, exact, { flags: 0b1100_0000, prefixBits: 6 });
      continue;
    }
    const [named] = known?.values() ?? [];
    if (named !== undefined) appendPrefixedInteger(target, named, { flags: 0b0101_0000, prefixBits: 4 });
    else appendText(target, name, { flags: 0b0010_0000, prefixBits: 3 });
    appendText(target, value, { flags: 0, prefixBits: 7 });
  }
  return new Uint8Array(target);
}

/** The bit above the prefix of the length says whether the text is in Huffman code; the shorter form wins. */
function appendText(target: number[], text: string, form: { flags: number; prefixBits: number }): void {
  const plain = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) plain[index] = text.charCodeAt(index);
  const short = huffmanLength(plain) < plain.length;
  const bytes = short ? encodeHuffman(plain) : plain;
  const flags = form.flags | (short ? 2 ** form.prefixBits : 0);
  appendPrefixedInteger(target, bytes.length, { ...form, flags });
  for (const byte of bytes) target.push(byte);
}

/**
 * The fields in order. Throws an Http3Error: QPACK_DECOMPRESSION_FAILED (connection) for bad bytes and for the
 * dynamic table, H3_MESSAGE_ERROR (stream) for bad names and values, H3_EXCESSIVE_LOAD (stream) beyond
 * the limits, which are looked at field by field: what is in memory is bounded by them and by `bytes`.
 */
export function decodeFieldSection(bytes: Uint8Array, limits = FIELD_SECTION_LIMITS): HeaderField[] {
  const inserted = readPrefixedInteger(bytes, 0, 8);
  const base = readPrefixedInteger(bytes, inserted.next, 7);
  const isNegative = ((bytes[inserted.next] as number) & 0x80) !== 0;
  if (inserted.value !== 0 || isNegative) throw failed("they refer to a dynamic table");
  const fields: HeaderField[] = [];
  let size = 0;
  for (let at = base.next; at < bytes.length;) {
    const { field, next } = readField(bytes, at);
    size += field[0].length + field[1].length + FIELD_OVERHEAD_BYTES;
    if (size > limits.maxBytes || fields.length === limits.maxFields) {
      const detail = `they are more than ${limits.maxFields} or than ${limits.maxBytes} bytes`;
      throw new Http3Error("H3_EXCESSIVE_LOAD", `decode header fields: ${detail}`, { scope: "stream" });
    }
    fields.push(field);
    at = next;
  }
  return fields;
}

/** The highest bits tell the form of a field line (RFC 9204 4.5.2 to 4.5.6). */
function readField(bytes: Uint8Array, at: number): { field: HeaderField; next: number } {
  const first = bytes[at] as number;
  if ((first & 0b1100_0000) === 0b1100_0000) {
    const { value: index, next } = readPrefixedInteger(bytes, at, 6);
    return { field: staticField(index), next };
  }
  if ((first & 0b1101_0000) === 0b0101_0000) {
    const { value: index, next } = readPrefixedInteger(bytes, at, 4);
    return withValue(staticField(index)[0], bytes, next);
  }
  if ((first & 0b1110_0000) !== 0b0010_0000) throw failed("they refer to a dynamic table");
  const { text: name, next } = readText(bytes, at, 3);
  if (!NAME.test(name)) throw malformed("a name is not in lower case or no name");
  return withValue(name, bytes, next);
}

function staticField(index: number): HeaderField {
  const field = STATIC_TABLE[index];
  if (field === undefined) throw failed(`there is no field ${index} in the static table`);
  return field;
}

function withValue(name: string, bytes: Uint8Array, at: number): { field: HeaderField; next: number } {
  const { text: value, next } = readText(bytes, at, 7);
  if (NOT_IN_VALUE.test(value)) throw malformed(`bad value of "${name}"`);
  return { field: [name, value], next };
}

function readText(bytes: Uint8Array, at: number, prefixBits: number): { text: string; next: number } {
  const isShort = ((bytes[at] ?? 0) & 2 ** prefixBits) !== 0;
  const { value: length, next } = readPrefixedInteger(bytes, at, prefixBits);
  if (next + length > bytes.length) throw failed("they end in the middle of a text");
  const text = bytes.subarray(next, next + length);
  return { text: latin1(isShort ? decodeHuffman(text) : text), next: next + length };
}

/** One character for each byte; the "latin1" of TextDecoder is another one. */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function failed(detail: string): Http3Error {
  return new Http3Error("QPACK_DECOMPRESSION_FAILED", `decode header fields: ${detail}`);
}

function malformed(detail: string): Http3Error {
  return new Http3Error("H3_MESSAGE_ERROR", `decode header fields: ${detail}`);
}
