/** What an envelope may make of its bytes in memory: tiny fields become objects of a hundred bytes each. */

import type { DescMessage, JsonValue } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { WasimoffError } from "../errors.ts";

/** Fields and elements of one envelope: arguments, names and events, of which honest peers have a few hundred. */
export const MAX_FIELDS_V1 = 100_000;
/** Smaller messages cannot hold enough to hurt, and are not looked at. */
export const UNCHECKED_BYTES = 64 * 1024;
/** Digits of a 64-bit number and its sign: longer ones take seconds to read. */
const MAX_INTEGER_CHARS = 20;
/** Where numbers of 64 bits are, which JSON has as strings (wasimoff-v1 1). */
const INTEGERS: ReadonlySet<string> = new Set(["sequence", "created", "duration", "unixnano"]);

/** Throws `out_of_range` for a message of more than MAX_FIELDS_V1 fields, known or not. */
export function checkBinary(desc: DescMessage, bytes: Uint8Array): void {
  if (bytes.length > UNCHECKED_BYTES) countFields(desc, bytes, 0);
}

function countFields(desc: DescMessage, bytes: Uint8Array, before: number): number {
  const reader = new BinaryReader(bytes);
  let count = before;
  while (reader.pos < reader.len) {
    if (++count > MAX_FIELDS_V1) throw tooMany();
    const [number, wireType] = reader.tag();
    const field = desc.fields.find((field) => field.number === number);
    if (field?.message === undefined || wireType !== WireType.LengthDelimited) reader.skip(wireType, number);
    else count = countFields(field.message, reader.bytes(), count);
  }
  return count;
}

/** Throws `out_of_range` for a text of more than MAX_FIELDS_V1 elements; to be called before it is parsed. */
export function checkText(text: string): void {
  if (text.length <= UNCHECKED_BYTES) return;
  let count = 0;
  for (let at = 0; at < text.length;) {
    const quote = text.indexOf('"', at);
    const end = quote < 0 ? text.length : quote;
    for (; at < end; at++) {
      if (beginsElement(text.charCodeAt(at)) && ++count > MAX_FIELDS_V1) throw tooMany();
    }
    if (quote >= 0) at = endOfString(text, quote + 1);
  }
}

/** Throws `out_of_range` for a number that is none of 64 bits; to be called before the fields are read. */
export function checkIntegers(value: JsonValue): void {
  if (typeof value !== "object" || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (typeof member === "string" && member.length > MAX_INTEGER_CHARS && INTEGERS.has(name)) {
      throw new WasimoffError("out_of_range", `${name} is longer than ${MAX_INTEGER_CHARS} characters`);
    }
    checkIntegers(member);
  }
}

/** A comma, or an opening bracket of either kind. */
function beginsElement(char: number): boolean {
  return char === 0x2c || char === 0x5b || char === 0x7b;
}

/** The place behind the closing quote: the first one before which there is an even number of backslashes. */
function endOfString(text: string, from: number): number {
  for (let at = from;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

function tooMany(): WasimoffError {
  return new WasimoffError("out_of_range", `envelope has more than ${MAX_FIELDS_V1} fields`);
}
