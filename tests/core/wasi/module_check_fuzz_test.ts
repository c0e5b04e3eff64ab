import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { WasimoffError } from "../../../core/errors.ts";
import { PAGE_BYTES } from "../../../core/wasi/memory_limits.ts";
import { type PreparedModule, prepareModule } from "../../../core/wasi/module_check.ts";
import { MAX_TABLE_ENTRIES } from "../../../core/wasi/table_limits.ts";
import {
  commandModule,
  functionType,
  growTable,
  HEADER,
  I32,
  importedFunction,
  importedMemory,
  leb,
  name,
  vector,
} from "../../support/module_builder.ts";

const LIMITS = { maxMemoryBytes: 1024 * 1024, maxModuleBytes: 1024 * 1024, heapTypes: true };
const MAX_PAGES = LIMITS.maxMemoryBytes / PAGE_BYTES;

const TYPES = [functionType([I32, I32, I32, I32], [I32]), [0x4e, 1, 0x50, 0, 0x5f, 1, 0x63, 0x6e, 1]];
const TABLES = vector([[0x70, 0, 1], [0x40, 0, 0x70, 1, 1, 5, 0xd2, 0, 0x0b], [0x6f, 0, 2]]);

const VALID = [
  commandModule({
    types: TYPES,
    imports: [importedFunction("wasi_snapshot_preview1", "fd_write", 1)],
    sections: { 4: TABLES, 0: [...name("name"), 0, 2, 1, 0x61] },
  }),
  commandModule({
    types: TYPES,
    imports: [importedFunction("wasi_snapshot_preview1", "fd_write", 1)],
    memoryImports: [importedMemory("env", "memory", [1, 1, ...leb(65_536)])],
    sections: { 4: TABLES },
  }),
];

/** Prepares the module; null when it was refused with our error. */
function prepare(bytes: Uint8Array): PreparedModule | null {
  try {
    return prepareModule(bytes, LIMITS);
  } catch (error) {
    ok(error instanceof WasimoffError, `${error}`);
    strictEqual(error.code, "invalid_argument");
    ok(!/[\n\r]/.test(error.message), "the message has one line");
    return null;
  }
}

/** Refused, or accepted with nothing that can pass the limits. */
function survives(bytes: Uint8Array): void {
  const prepared = prepare(bytes);
  if (prepared === null) return;
  const rewritten = prepared.bytes.slice();
  if (!WebAssembly.validate(rewritten)) {
    ok(!WebAssembly.validate(bytes.slice()), "rewriting made it invalid");
    return;
  }
  staysWithin(new WebAssembly.Module(rewritten), prepared);
}

/** Instantiates the module and grows all there is. */
function staysWithin(module: WebAssembly.Module, { importedMemory }: PreparedModule): void {
  const memory = importedMemory && new WebAssembly.Memory(importedMemory);
  const imports: WebAssembly.Imports = Object.create(null);
  for (const { module: namespace, name, kind } of WebAssembly.Module.imports(module)) {
    ok(kind === "function" || memory !== null);
    (imports[namespace] ??= Object.create(null))[name] = kind === "function" ? () => 0 : memory!;
  }
  let exports;
  try {
    exports = new WebAssembly.Instance(module, imports).exports;
  } catch (error) {
    ok(error instanceof WebAssembly.RuntimeError, `${error}`);
    return;
  }
  ok(typeof exports._start === "function");
  if (memory) growsTo(memory, MAX_PAGES);
  let entries = 0;
  for (const value of Object.values(exports)) {
    if (value instanceof WebAssembly.Memory) growsTo(value, MAX_PAGES);
    if (value instanceof WebAssembly.Table) entries += growsTo(value, MAX_TABLE_ENTRIES);
  }
  ok(entries <= MAX_TABLE_ENTRIES, `all tables together got ${entries} entries`);
}

/** The most there can be of it, which is no more than `max`. */
function growsTo(grown: WebAssembly.Memory | WebAssembly.Table, max: number): number {
  for (let step = max + 1; step >= 1;) {
    try {
      if (grown instanceof WebAssembly.Table) growTable(grown, step);
      else grown.grow(step);
    } catch {
      step = Math.floor(step / 2);
    }
  }
  const size = grown instanceof WebAssembly.Table ? grown.length : grown.buffer.byteLength / PAGE_BYTES;
  ok(size <= max, `it grew to ${size}, more than ${max}`);
  return size;
}

Deno.test("prepareModule() survives arbitrary bytes, with and without a header", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    survives(bytes);
    survives(Uint8Array.from([...HEADER, ...bytes]));
  }));
});

Deno.test("prepareModule() survives a module cut at every byte", () => {
  for (const valid of VALID) {
    for (let length = 0; length <= valid.length; length++) survives(valid.subarray(0, length));
  }
});

Deno.test("prepareModule() survives every single flipped bit", () => {
  for (const valid of VALID) {
    for (let bit = 0; bit < valid.length * 8; bit++) {
      const bytes = valid.slice();
      bytes[bit >> 3] = bytes[bit >> 3]! ^ 1 << (bit & 7);
      survives(bytes);
    }
  }
});

Deno.test("prepareModule() survives random overwrites", () => {
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 });
  fc.assert(fc.property(fc.constantFrom(...VALID), edits, (valid, list) => {
    const bytes = valid.slice();
    for (const [index, value] of list) bytes[index % bytes.length] = value;
    survives(bytes);
  }));
});

/** Flags, minimum and maximum, the minimum often within the limits; some with more bytes than necessary. */
function limits(max: number): fc.Arbitrary<number[]> {
  const number = fc.oneof(fc.nat(20), fc.nat(max)).chain((value) =>
    fc.constantFrom(leb(value), padded(value))
  );
  return fc.oneof(
    number.map((min) => [0, ...min]),
    fc.tuple(fc.nat(20), number).map(([min, top]) => [1, ...leb(min), ...top]),
  );
}

/** LEB128 of the greatest length. */
function padded(value: number): number[] {
  return [0, 7, 14, 21, 28].map((shift) => value >>> shift & 0x7f | (shift < 28 ? 0x80 : 0));
}

const TABLE = fc.tuple(
  fc.constantFrom([0x70], [0x6f], [0x63, 0x70], [0x40, 0, 0x70], [0x40, 0, 0x64, 0x6c]),
  limits(2_000_000),
).map(([type, limits]) => {
  const value = type[2] === 0x64 ? [0x41, 7, 0xfb, 28, 0x0b] : type[0] === 0x40 ? [0xd0, 0x70, 0x0b] : [];
  return [...type, ...limits, ...value];
});

const PARTS = fc.record({
  imports: fc.integer({ min: 0, max: 3 }).map((count) =>
    new Array(count).fill(importedFunction("wasi_snapshot_preview1", "fd_write", 1))
  ),
  memory: limits(65_536),
  imported: fc.option(fc.tuple(fc.string({ maxLength: 9 }), fc.string({ maxLength: 9 }))),
  tables: fc.array(TABLE, { maxLength: 4 }),
  custom: fc.uint8Array({ maxLength: 40 }),
});

Deno.test("prepareModule() keeps valid modules valid, and every memory and table within its limits", () => {
  let accepted = 0;
  fc.assert(
    fc.property(PARTS, ({ imports, memory, imported, tables, custom }) => {
      const bytes = commandModule({
        types: TYPES,
        imports,
        ...(imported ? { memoryImports: [importedMemory(...imported, memory)] } : { memory }),
        exports: tables.map((_, index) => [...name(`table${index}`), 1, index]),
        sections: { 4: vector(tables), 0: [...name("name"), ...custom] },
      });
      if (!WebAssembly.validate(bytes)) return;
      survives(bytes);
      if (prepare(bytes) !== null) accepted++;
    }),
    { numRuns: 200 },
  );
  ok(accepted >= 20, `only ${accepted} modules were accepted`);
});

Deno.test("prepareModule() gives the same bytes when it prepares its own result", () => {
  for (const valid of VALID) {
    const once = prepareModule(valid, LIMITS);
    ok(once.bytes !== valid);
    deepStrictEqual(prepareModule(once.bytes, LIMITS), once);
  }
});

Deno.test("prepareModule() takes linear time for a megabyte of smallest items", () => {
  const size = 1_000_000;
  const contents = new Uint8Array(size + 16);
  contents.set([...HEADER, 1, 0xc4, 0x84, 0x3d, 0xc0, 0x84, 0x3d]);
  for (let index = 15; index + 1 < contents.length; index += 2) contents.set([0x4e, 0], index);
  const before = performance.now();
  survives(contents.subarray(0, 8 + 4 + size + 4));
  ok(performance.now() - before < 500, "it took too long");
});
