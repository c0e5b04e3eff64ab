/** Reads the integers, names and vectors of a WebAssembly binary; no read leaves the given range. */

import type { WasimoffError } from "../errors.ts";
import { refused } from "./module_refusal.ts";

/** What V8 accepts at most in one vector of types, functions or exports; more is refused before looping. */
export const MAX_VECTOR_ITEMS = 1_000_000;

/** Bytes of a name that are kept: enough for every name that means something here and for a message. */
const MAX_NAME_BYTES = 120;

/** Keeps byte order marks, which are part of a name. */
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

export class ModuleReader {
  #offset: number;
  readonly #end: number;

  constructor(readonly bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.#offset = start;
    this.#end = end;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  byte(): number {
    if (this.remaining < 1) throw damaged("it ends early", this.#offset);
    return this.bytes[this.#offset++] as number;
  }

  skip(count: number): void {
    if (count > this.remaining) throw damaged("it ends early", this.#offset);
    this.#offset += count;
  }

  /** Unsigned LEB128 of at most 32 bits (five bytes). */
  u32(): number {
    const start = this.#offset;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      if (shift === 28 && byte > 0x0f) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw damaged("a number is too long", start);
  }

  /** Skips a LEB128 of at most 64 bits, with or without a sign. */
  skipInteger(): void {
    const start = this.#offset;
    for (let length = 0; length < 10; length++) {
      if (this.byte() < 0x80) return;
    }
    throw damaged("a number is too long", start);
  }

  /** The length of a vector whose items take at least one byte each. */
  count(): number {
    const start = this.#offset;
    const count = this.u32();
    if (count > this.remaining) throw damaged("a list is longer than its section", start);
    if (count > MAX_VECTOR_ITEMS) throw damaged("a list is too long", start);
    return count;
  }

  /** A name; one longer than any that matters is cut. */
  name(): string {
    const length = this.u32();
    const start = this.#offset;
    this.skip(length);
    return DECODER.decode(this.bytes.subarray(start, start + Math.min(length, MAX_NAME_BYTES)));
  }
}

/** The error for bytes that break the format of WebAssembly. */
export function damaged(what: string, offset: number): WasimoffError {
  return refused(`it is damaged: ${what} at byte ${offset}: build or copy the file again`);
}
