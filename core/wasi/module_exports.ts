/** What a module exports: whether it is a command, and what it is if not. */

import type { WasimoffError } from "../errors.ts";
import { refused } from "./module_refusal.ts";
import { type Edit, encodeU32 } from "./module_edits.ts";
import type { ModuleReader } from "./module_reader.ts";

/** What a start function is called when it has become an export; a module that exports this name itself is refused. */
export const START_EXPORT = "wasimoff:start";

const FUNCTION_KIND = 0;
const MEMORY_KIND = 2;

/** Names of the kinds of exports, by number (core specification 3.0, 5.5.10). */
const KINDS: readonly string[] = ["a function", "a table", "a memory", "a global", "a tag"];

export interface Exports {
  /** Index of the function `_start`. */
  readonly start: number;
  readonly hasMemory: boolean;
}

/** Reads the export section, which may be missing. Throws `invalid_argument` unless there is a function `_start`. */
export function readExports(reader: ModuleReader | null): Exports {
  let start: number | null = null;
  let hasMemory = false;
  const kinds = new Map<string, number>();
  for (let left = reader?.count() ?? 0; reader && left > 0; left--) {
    const name = reader.name();
    const kind = reader.byte();
    const index = reader.u32();
    kinds.set(name, kind);
    if (kind === FUNCTION_KIND && name === "_start") start = index;
    if (kind === MEMORY_KIND && name === "memory") hasMemory = true;
  }
  if (start === null) throw notCommand(kinds);
  return { start, hasMemory };
}

/** The edits of an export section that add a function; the reader stands at its beginning. */
export function exportStart(reader: ModuleReader, index: number): Edit[] {
  const start = reader.offset;
  const count = reader.count();
  const end = reader.offset + reader.remaining;
  const name = new TextEncoder().encode(START_EXPORT);
  const entry = [...encodeU32(name.length), ...name, FUNCTION_KIND, ...encodeU32(index)];
  return [
    { start, end: reader.offset, bytes: encodeU32(count + 1) },
    { start: end, end, bytes: entry },
  ];
}

function notCommand(kinds: ReadonlyMap<string, number>): WasimoffError {
  const start = kinds.get("_start");
  if (start !== undefined) {
    return refused(
      `its "_start" is ${KINDS[start] ?? "something unknown"}, not a function: ` +
        "build a WASI command with a main function",
    );
  }
  const what = kinds.has("_initialize") ? "a reactor (it exports _initialize)" : "a library";
  return refused(
    `it is ${what}, it has no function "_start": build a command with a main function, for example with ` +
      "clang without -mexec-model=reactor, or a Rust binary rather than a cdylib",
  );
}
