import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { prepareModule } from "../../../core/wasi/module_check.ts";
import { MAX_TABLE_ENTRIES, MAX_TABLES } from "../../../core/wasi/table_limits.ts";
import { commandModule, growTable, leb, name, vector } from "../../support/module_builder.ts";

const LIMITS = { maxMemoryBytes: 1024 * 1024, maxModuleBytes: 1024 * 1024, heapTypes: true };
const FUNCREF = 0x70;
const EXTERNREF = 0x6f;
/** A table without a maximum. */
const GROWING = [FUNCREF, 0, 1];

function prepare(...tables: number[][]): Uint8Array<ArrayBuffer> {
  const exports = tables.map((_, index) => [...name(`table${index}`), 1, ...leb(index)]);
  const bytes = commandModule({ sections: { 4: vector(tables) }, exports });
  return prepareModule(bytes, LIMITS).bytes.slice();
}

/** How far each table can be grown. */
function sizes(bytes: Uint8Array<ArrayBuffer>): number[] {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const tables = Object.values(exports).filter((value) => value instanceof WebAssembly.Table);
  return tables.map((table) => {
    for (let step = MAX_TABLE_ENTRIES; step >= 1;) {
      try {
        growTable(table, step);
      } catch (error) {
        ok(error instanceof RangeError);
        step = Math.floor(step / 2);
      }
    }
    return table.length;
  });
}

Deno.test("capTables() leaves tables alone that cannot grow too large", () => {
  const cases = [[], [[FUNCREF, 1, 10, 10]], [[FUNCREF, 1, 0, ...leb(999_999)], [EXTERNREF, 1, 1, 1]]];
  for (const tables of cases) {
    const bytes = commandModule({ sections: { 4: vector(tables) }, memory: [1, 1, 1] });
    strictEqual(prepareModule(bytes, LIMITS).bytes, bytes);
  }
});

Deno.test("capTables() shares out what there is among tables that would grow", () => {
  deepStrictEqual(sizes(prepare(GROWING)), [1_000_000]);
  deepStrictEqual(sizes(prepare([FUNCREF, 1, 5, ...leb(10_000_000)])), [1_000_000]);
  deepStrictEqual(sizes(prepare([FUNCREF, 1, 5, 5], GROWING)), [5, 499_998]);
  const uneven = [[FUNCREF, 0, ...leb(600_000)], [EXTERNREF, 0, 0], [FUNCREF, 1, 0, 100], [FUNCREF, 1, 0, 0]];
  deepStrictEqual(sizes(prepare(...uneven)), [700_000, 100_000, 100, 0]);
});

Deno.test("capTables() reads past types and initial values of all kinds", () => {
  const values = [
    [0xd2, 0], // ref.func 0
    [0xd0, 0x70], // ref.null func
    [0xd0, 0x00], // ref.null of type 0
  ];
  for (const value of values) {
    const table = [0x40, 0, FUNCREF, 0, 3, ...value, 0x0b];
    deepStrictEqual(sizes(prepare(table, GROWING)), [3 + 499_998, 1 + 499_998]);
  }
  // i31: an i32 made of several constants; a table of non-null references needs a value.
  const i31 = [0x40, 0, 0x64, 0x6c, 0, 2, 0x41, 0xff, 0x7e, 0x41, 1, 0x6a, 0xfb, 28, 0x0b];
  deepStrictEqual(sizes(prepare(i31, [0x63, 0x70, 0, 1])), [2 + 499_998, 1 + 499_998]);
});

Deno.test("capTables() reads past every constant there can be", () => {
  const constants = [
    [0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f],
    [0x43, 0x0b, 0x0b, 0x0b, 0x0b],
    [0x44, ...new Array(8).fill(0x0b)],
    [0xfd, 12, ...new Array(16).fill(0x0b)],
    [0x23, 0, 0x7c, 0x7d, 0x7e, 0x6b, 0x6c],
    [0xfb, 0, 1, 0xfb, 1, 1, 0xfb, 6, 1, 0xfb, 7, 1, 0xfb, 8, 1, 0x0b, 0xfb, 26, 0xfb, 27],
  ];
  for (const constant of constants) {
    const table = [0x40, 0, FUNCREF, 0, 3, ...constant, 0x0b];
    const capped = [0x40, 0, FUNCREF, 1, 3, ...leb(1_000_000), ...constant, 0x0b];
    const of = (contents: number[]) =>
      commandModule({ sections: { 4: vector([contents]) }, memory: [1, 1, 1] });
    deepStrictEqual(new Uint8Array(prepareModule(of(table), LIMITS).bytes), new Uint8Array(of(capped)));
  }
});

Deno.test("capTables() refuses what is too much or unknown", () => {
  const half = [FUNCREF, 0, ...leb(500_001)];
  const cases: [number[][], RegExp][] = [
    [new Array(MAX_TABLES + 1).fill(GROWING), /it has 101 tables, more than the 100 that are allowed$/],
    [[half, half], /its tables have 1000002 entries, more than the 1000000 that are allowed: build it with/],
    [[[FUNCREF, 2, 1]], /its table is shared: threads are not supported, build it without them$/],
    [[[FUNCREF, 4, 1]], /its table is 64-bit: build it for wasm32$/],
    [[[FUNCREF, 8, 1]], /its table has unknown flags: build it with standard features only$/],
    [[[0x40, 0, FUNCREF, 0, 1, 0x10, 0, 0x0b]], /a table begins with something unknown: build it with/],
    [[[0x40, 0, FUNCREF, 0, 1, 0xfb, 99, 0x0b]], /a table begins with something unknown/],
    [[[0x40, 0, FUNCREF, 0, 1, 0xfd, 13, 0x0b]], /a table begins with something unknown/],
    [[[0x40, 0, FUNCREF, 0, 1, 0x41, 0]], /it is damaged: it ends early/],
    [[[FUNCREF, 1, 1]], /it is damaged: it ends early/],
  ];
  for (const [tables, expected] of cases) throws(() => prepare(...tables), expected);
  strictEqual(sizes(prepare(...new Array(MAX_TABLES).fill(GROWING))).length, MAX_TABLES);
});
