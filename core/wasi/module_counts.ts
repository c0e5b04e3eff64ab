/** How much of everything a module may declare, counted before the compiler sets up any of it. */

import { refused } from "./module_refusal.ts";
import { ModuleReader } from "./module_reader.ts";
import { SECTION, type Section } from "./module_sections.ts";

interface CountLimit {
  readonly section: number;
  readonly what: string;
  readonly max: number;
}

/**
 * What V8 needs for each is measured; in brackets a Go program of 12 MB and CPython (26 MB). Types, tables and
 * memories are counted where they are read.
 */
const COUNT_LIMITS: readonly CountLimit[] = [
  // 45 are enough [24, 43]. One costs 430 bytes.
  { section: SECTION.import, what: "imports", max: 1_000 },
  // 64 MiB of functions of the usual size [7,006; 11,448]. One costs 110 bytes before it is called.
  { section: SECTION.function, what: "functions", max: 250_000 },
  // One or two for each language with exceptions. One costs 60 bytes.
  { section: SECTION.tag, what: "tags", max: 1_000 },
  // Garbage-collected languages have one for each class and text [8, 1]. One costs 60 bytes.
  { section: SECTION.global, what: "globals", max: 100_000 },
  // A command needs two [2, 3]. One costs 400 bytes.
  { section: SECTION.export, what: "exports", max: 10_000 },
  // [1, 1]. One costs 50 bytes.
  { section: SECTION.element, what: "element segments", max: 100_000 },
  // V8's own limit, up to which Go splits its data [100,000; 24,171]. One costs 50 bytes.
  { section: SECTION.data, what: "data segments", max: 100_000 },
];

/** Entries of passive element segments become objects when they are first used [13,916; 11,802 bytes]. */
const MAX_ELEMENT_BYTES = 4 * 1024 * 1024;

/** A type costs up to seven times its bytes [116, 993 bytes]. */
const MAX_TYPE_BYTES = 4 * 1024 * 1024;

/**
 * The largest functions are interpreters [50,636; 106,184 bytes]. At V8's limit of 7.6 MB one takes its checks or its
 * optimizer 2 GB.
 */
export const MAX_FUNCTION_BYTES = 2 * 1024 * 1024;

/**
 * Bytes of the largest function times the length of the longest list of parameters or results. V8's checks keep both
 * lists of every block and call: 3 bytes of code that name a list of 1,000 take 16 KB, and a module of 400 KB took
 * the process down. 16 bytes for each here are 270 MB for each of its threads [10^6]; 50 parameters may go with 335 KB.
 */
const MAX_FUNCTION_BYTES_TIMES_LIST = 2 ** 24;

/**
 * Throws `invalid_argument` when a section has too many items, or too large ones. Code is not looked into. Returns
 * the size of the largest function in bytes.
 */
export function checkCounts(bytes: Uint8Array, sections: ReadonlyMap<number, Section>): number {
  for (const { section, what, max } of COUNT_LIMITS) {
    const found = sections.get(section);
    const count = found === undefined ? 0 : new ModuleReader(bytes, found.body, found.end).u32();
    if (count > max) throw refused(`it has ${count} ${what}, more than the ${max} that are allowed`);
  }
  checkSize(sections.get(SECTION.type), "type section", MAX_TYPE_BYTES);
  checkSize(sections.get(SECTION.element), "element section", MAX_ELEMENT_BYTES);
  const code = sections.get(SECTION.code);
  return code === undefined ? 0 : largestFunction(new ModuleReader(bytes, code.body, code.end));
}

/** Throws `invalid_argument` when lists and functions of that size could take too much together. */
export function checkLists(longestList: number, functionBytes: number): void {
  if (longestList * functionBytes <= MAX_FUNCTION_BYTES_TIMES_LIST) return;
  throw refused(
    `it has a function of ${functionBytes} bytes and one with ${longestList} parameters or results, which is too much ` +
      "together: build it with less inlining, or pass them through memory",
  );
}

function checkSize(section: Section | undefined, what: string, max: number): void {
  const size = section === undefined ? 0 : section.end - section.body;
  if (size > max) throw refused(`its ${what} has ${size} bytes, more than the ${max} that are allowed`);
}

function largestFunction(reader: ModuleReader): number {
  let largest = 0;
  for (let left = reader.count(); left > 0; left--) {
    const size = reader.u32();
    if (size > MAX_FUNCTION_BYTES) {
      throw refused(
        `one of its functions has ${size} bytes, more than the ${MAX_FUNCTION_BYTES} that are allowed: ` +
          "build it with less inlining, or move large tables out of code",
      );
    }
    largest = Math.max(largest, size);
    reader.skip(size);
  }
  return largest;
}
