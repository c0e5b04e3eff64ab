/** Tells what bytes are that should have been a WebAssembly module. */

// deno-lint-ignore-file no-control-regex -- magic numbers hold control characters

import type { WasimoffError } from "../errors.ts";
import { refused } from "./module_refusal.ts";

const MAGIC = "\0asm";

/** Bytes that are looked at to name a text file. */
const PEEK_BYTES = 64;

/** What other files begin with, and their names. */
const KINDS: readonly (readonly [RegExp, string])[] = [
  [/^\x7fELF/, "a native Linux program (ELF)"],
  [/^MZ/, "a Windows program"],
  [/^(\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe)/, "a native macOS program"],
  [/^PK\x03\x04/, "a ZIP archive"],
  [/^\x1f\x8b/, "a gzip file: unpack it first"],
  [/^!<arch>/, "a static library"],
  [/^\s*\((module|component|;)|^\s*;;/, "WebAssembly text: translate it first, for example with wat2wasm"],
  [/^#!/, "a script"],
  [/^\s*<(!doctype|html)/i, "an HTML page"],
  [/^[\t\n\r\x20-\x7e]+$/, "a text file"],
];

/** Throws `invalid_argument` unless the bytes begin like a core module of version 1. */
export function checkModuleKind(bytes: Uint8Array): void {
  if (bytes.length === 0) throw notCommand("it is empty");
  const head = String.fromCharCode(...bytes.subarray(0, PEEK_BYTES));
  if (!head.startsWith(MAGIC)) {
    const kind = KINDS.find(([pattern]) => pattern.test(head))?.[1] ?? "not WebAssembly";
    throw notCommand(`it is ${kind}`);
  }
  if (bytes.length < 8) throw notCommand("it is damaged: it ends within its header");
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = header.getUint16(4, true);
  const layer = header.getUint16(6, true);
  if (layer === 1) throw notCommand("it is a component, which is not supported");
  if (version !== 1 || layer !== 0) throw notCommand(`it has an unknown version ${version}.${layer}`);
}

function notCommand(what: string): WasimoffError {
  return refused(`${what}: build a WASI command, for example with --target wasm32-wasip1`);
}
