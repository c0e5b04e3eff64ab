/** Modules that try to hurt the process they run in, byte by byte. */

import {
  EXPORT_MEMORY,
  functionType,
  HEADER,
  importedFunction,
  leb,
  name,
  section,
} from "./module_builder.ts";

const START_EXPORT = [...name("_start"), 0, 0];
const I32 = 0x7f;
const MIB_PAGES = 16;

/** Sections by id, without their counts being checked by anybody; what is left out is that of a plain command. */
type Sections = Readonly<Record<number, readonly number[]>>;

const PLAIN: Sections = {
  1: [1, ...functionType([], [])],
  3: [1, 0],
  5: [1, 0, 1],
  7: [2, ...START_EXPORT, ...EXPORT_MEMORY],
  10: codeOf([]),
};
/** The order of the specification: globals (6) behind memories, element segments (9) behind start (8). */
const ORDER = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];

/** The code section of functions without locals. */
function codeOf(...bodies: readonly (readonly number[])[]): number[] {
  return [...leb(bodies.length), ...bodies.flatMap((body) => [...leb(body.length + 2), 0, ...body, 0x0b])];
}

function build(sections: Sections): Uint8Array<ArrayBuffer> {
  const all: Sections = { ...PLAIN, ...sections };
  const parts = ORDER.filter((id) => all[id] !== undefined).map((id) => section(id, all[id]!));
  return Uint8Array.from([HEADER, ...parts].flat());
}

function repeated(count: number, item: readonly number[]): number[] {
  const all = leb(count);
  for (let index = 0; index < count; index++) all.push(...item);
  return all;
}

/** `loop ... br 0 end`. */
function forever(body: readonly number[] = []): number[] {
  return [0x03, 0x40, ...body, 0x0c, 0, 0x0b];
}

/** A body of that many locals of 32 bits. */
function manyLocals(count: number, body: readonly number[]): number[] {
  return [1, ...leb(count), I32, ...body, 0x0b];
}

/** `block`, a local set, `br_if 0`, `end`, many times over. */
function branches(count: number): number[] {
  const once = [0x02, 0x40, 0x20, 0, 0x41, 1, 0x6a, 0x22, 0, 0x0d, 0, 0x0b];
  return Array.from({ length: count }, () => once).flat();
}

function lengthOf(body: readonly number[]): number[] {
  return [...leb(body.length), ...body];
}

/** `_start` with this body, which may call itself as function 0. */
export function startBody(body: readonly number[]): Uint8Array<ArrayBuffer> {
  return build({ 10: codeOf(body) });
}

export const LOOP = startBody(forever());
/** Calls itself until the stack of the engine ends; V8 knows no tail call here. */
export const RECURSION = startBody([0x10, 0]);
/** Grows by a MiB until it is refused, and then asks for all there is at once; ends well. */
export const GROWTH = startBody([
  ...[0x03, 0x40, 0x41, MIB_PAGES, 0x40, 0, 0x41, 0x7f, 0x47, 0x0d, 0, 0x0b],
  ...[0x41, 0xff, 0xff, 0x03, 0x40, 0, 0x1a],
]);
/** The start function loops, so that the end of instantiation never comes. */
export const LOOPING_START = build({ 3: [2, 0, 0], 8: [1], 10: codeOf([], forever()) });
/** The start function fails. */
export const TRAPPING_START = build({ 3: [2, 0, 0], 8: [1], 10: codeOf([], [0x00]) });

export const MANY_MEMORIES = build({ 5: repeated(50_000, [0, 0]) });
export const LARGE_MEMORY = build({ 5: [1, 0, ...leb(65_536)] });
export const SHARED_MEMORY = build({ 5: [1, 3, 1, 2] });
export const WIDE_MEMORY = build({ 5: [1, 4, 1] });

/** One table with the most entries that V8 allows. */
export const LARGE_TABLE = build({ 4: [1, 0x70, 0, ...leb(10_000_000)] });
export const MANY_TABLES = build({ 4: repeated(100_000, [0x70, 0, 0]) });
/** Grows a table without maximum until it is refused; ends well. */
export const TABLE_GROWTH = build({
  4: [1, 0x70, 0, 0],
  10: codeOf([0x03, 0x40, 0xd0, 0x70, 0x41, ...leb(0x2000), 0xfc, 0x0f, 0, 0x41, 0x7f, 0x47, 0x0d, 0, 0x0b]),
});

export const MANY_FUNCTIONS = build({ 3: repeated(1_000_001, [0]) });
export const MANY_GLOBALS = build({ 6: repeated(1_000_001, [I32, 0, 0x41, 0, 0x0b]) });
/** A data segment that begins at the last byte of memory and goes on. */
export const DATA_BEYOND_MEMORY = build({ 11: [1, 0, 0x41, 0xff, 0xff, 0x03, 0x0b, 4, 1, 2, 3, 4] });
export const MANY_DATA_SEGMENTS = build({ 11: repeated(100_001, [0, 0x41, 0, 0x0b, 0]) });
/** A segment that says it has 4 GiB. */
export const LYING_DATA = build({ 11: [1, 0, 0x41, 0, 0x0b, 0xff, 0xff, 0xff, 0xff, 0x0f] });

/** Many nested blocks and a branch table over them: costly for a compiler that looks far ahead. */
export const NESTED_BLOCKS = startBody([
  ...Array(1_000).fill([0x02, 0x40]).flat(),
  ...[0x41, 0, 0x0e, ...repeated(1_000, [0]), 0],
  ...Array(1_000).fill(0x0b),
]);

/** Tens of thousands of locals, whose places a baseline compiler notes again for every branch: gigabytes. */
export const BRANCHING_LOCALS = build({
  10: [1, ...lengthOf(manyLocals(50_000, branches(10_000)))],
});

/** What the exports are called and what they are differs. */
export const START_IS_A_GLOBAL = build({
  6: [1, I32, 0, 0x41, 0, 0x0b],
  7: [2, ...name("_start"), 3, 0, ...EXPORT_MEMORY],
});
export const MEMORY_IS_A_FUNCTION = build({ 7: [2, ...START_EXPORT, ...name("memory"), 0, 0] });
export const START_IS_AN_IMPORT = build({
  1: [2, ...functionType([], []), ...functionType([], [I32])],
  2: [1, ...importedFunction("wasi_snapshot_preview1", "sched_yield", 1)],
  7: [2, ...START_EXPORT, ...EXPORT_MEMORY],
});
export const TWO_STARTS = build({ 7: [3, ...START_EXPORT, ...START_EXPORT, ...EXPORT_MEMORY] });

const EXIT_IMPORT = {
  1: [2, ...functionType([], []), ...functionType([I32], [])],
  2: [1, ...importedFunction("wasi_snapshot_preview1", "proc_exit", 1)],
  7: [2, ...name("_start"), 0, 1, ...EXPORT_MEMORY],
};
/** Catches its own end for ever: `loop try proc_exit(0) catch_all end br 0 end`. */
export const CATCHES_ITS_END = build({
  ...EXIT_IMPORT,
  10: codeOf(forever([0x06, 0x40, 0x41, 0, 0x10, 0, 0x19, 0x0b])),
});
/** Ends before `_start`, within the start function. */
export const EXIT_IN_START = build({
  ...EXIT_IMPORT,
  3: [2, 0, 0],
  8: [2],
  10: codeOf([0x00], [0x41, 7, 0x10, 0]),
});

/** Fills the heap of the engine with a chain of structures (types of garbage collection). */
export const HEAP = build({
  1: [2, ...functionType([], []), 0x50, 0, 0x5f, 2, 0x63, 1, 1, 0x63, 0x6a, 1],
  3: [1, 0],
  6: [1, 0x63, 1, 1, 0xd0, 1, 0x0b],
  10: codeOf(forever([0x23, 0, 0xd0, 0x6a, 0xfb, 0x00, 1, 0x24, 0])),
});
