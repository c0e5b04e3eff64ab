/** args_* and environ_*: lists of strings in one buffer. */

import { ERRNO } from "./abi.ts";
import type { FunctionTable } from "./function_table.ts";
import type { Guest } from "./guest.ts";

const ENCODER = new TextEncoder();
const POINTER_BYTES = 4;

/** Each string as a C program has it. */
function terminated(strings: readonly string[]): Uint8Array[] {
  return strings.map((string) => ENCODER.encode(`${string}\0`));
}

/** Number of strings and bytes of all of them with their terminators. */
function writeSizes(
  guest: Guest,
  strings: readonly string[],
  countPointer: number,
  sizePointer: number,
): number {
  guest.memory.setU32(countPointer, strings.length);
  guest.memory.setU32(sizePointer, totalLength(terminated(strings)));
  return ERRNO.SUCCESS;
}

function writeStrings(guest: Guest, strings: readonly string[], pointers: number, buffer: number): number {
  const all = terminated(strings);
  // Checked as wholes, since single pointers would begin anew behind 4 GiB.
  const target = guest.memory.bytes(buffer, totalLength(all));
  guest.memory.bytes(pointers, all.length * POINTER_BYTES);
  let at = 0;
  for (const [index, bytes] of all.entries()) {
    guest.memory.setU32((pointers >>> 0) + index * POINTER_BYTES, (buffer >>> 0) + at);
    target.set(bytes, at);
    at += bytes.length;
  }
  return ERRNO.SUCCESS;
}

function totalLength(all: readonly Uint8Array[]): number {
  return all.reduce((sum, bytes) => sum + bytes.length, 0);
}

export const ARGS_ENV: FunctionTable = {
  args_get: (guest, argv: number, buffer: number) => writeStrings(guest, guest.program.args, argv, buffer),
  args_sizes_get: (guest, count: number, size: number) => writeSizes(guest, guest.program.args, count, size),
  environ_get: (guest, list: number, buffer: number) => writeStrings(guest, guest.program.env, list, buffer),
  environ_sizes_get: (guest, count: number, size: number) =>
    writeSizes(guest, guest.program.env, count, size),
};
