/** args_* and environ_*: lists of strings in one buffer. */

import { ERRNO } from "./abi.ts";
import type { FunctionTable } from "./function_table.ts";
import type { Guest } from "./guest.ts";

const ENCODER = new TextEncoder();

/** Number of strings and bytes of all of them with their terminators. */
function writeSizes(
  guest: Guest,
  strings: readonly string[],
  countPointer: number,
  sizePointer: number,
): number {
  let bytes = 0;
  for (const string of strings) bytes += ENCODER.encode(string).length + 1;
  guest.memory.setU32(countPointer, strings.length);
  guest.memory.setU32(sizePointer, bytes);
  return ERRNO.SUCCESS;
}

function writeStrings(guest: Guest, strings: readonly string[], pointers: number, buffer: number): number {
  let at = buffer >>> 0;
  let entry = pointers >>> 0;
  for (const string of strings) {
    const bytes = ENCODER.encode(string);
    guest.memory.setU32(entry, at);
    guest.memory.bytes(at, bytes.length).set(bytes);
    guest.memory.setU8(at + bytes.length, 0);
    at += bytes.length + 1;
    entry += 4;
  }
  return ERRNO.SUCCESS;
}

export const ARGS_ENV: FunctionTable = {
  args_get: (guest, argv: number, buffer: number) => writeStrings(guest, guest.program.args, argv, buffer),
  args_sizes_get: (guest, count: number, size: number) => writeSizes(guest, guest.program.args, count, size),
  environ_get: (guest, list: number, buffer: number) => writeStrings(guest, guest.program.env, list, buffer),
  environ_sizes_get: (guest, count: number, size: number) =>
    writeSizes(guest, guest.program.env, count, size),
};
