import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import { PAGE_BYTES } from "../../../core/wasi/memory_limits.ts";
import { type PreparedModule, prepareModule } from "../../../core/wasi/module_check.ts";
import { commandModule, importedMemory, leb } from "../../support/module_builder.ts";

const MIB = 1024 * 1024;

function prepare(memory: readonly number[], maxMemoryBytes: number): Uint8Array<ArrayBuffer> {
  return prepareModule(commandModule({ memory }), { maxMemoryBytes, maxModuleBytes: MIB, heapTypes: true })
    .bytes.slice();
}

/** A module whose memory comes from "any.name", limited to ten pages. */
function prepareImported(limits: readonly number[]): PreparedModule {
  const bytes = commandModule({ memoryImports: [importedMemory("any", "name", limits)] });
  return prepareModule(bytes, { maxMemoryBytes: 10 * PAGE_BYTES, maxModuleBytes: MIB, heapTypes: true });
}

/** Grows the memory of the module page by page and returns how many pages it had in the end. */
function growToLimit(bytes: Uint8Array<ArrayBuffer>): number {
  const memory = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.memory as WebAssembly.Memory;
  for (let pages = 0; pages < 100; pages++) {
    try {
      memory.grow(1);
    } catch (error) {
      ok(error instanceof RangeError);
      break;
    }
  }
  return memory.buffer.byteLength / PAGE_BYTES;
}

Deno.test("capMemory() stops growth at the limit, with and without a declared maximum", () => {
  strictEqual(growToLimit(prepare([0, 1], 10 * PAGE_BYTES)), 10);
  strictEqual(growToLimit(prepare([1, 1, 50], 10 * PAGE_BYTES)), 10);
  strictEqual(growToLimit(prepare([1, 1, 4], 10 * PAGE_BYTES)), 4);
});

Deno.test("capMemory() rounds the limit down to whole pages", () => {
  strictEqual(growToLimit(prepare([0, 1], 3 * PAGE_BYTES - 1)), 2);
});

Deno.test("capMemory() moves the sections after the memory when its size changes", () => {
  const bytes = prepare([1, 0x81, 0, ...leb(65_536)], 40_000 * PAGE_BYTES);
  ok(WebAssembly.validate(bytes));
  deepStrictEqual([...bytes.subarray(18, 26)], [5, 6, 1, 1, 1, ...leb(40_000)]);
});

Deno.test("capMemory() names the memory a module needs", () => {
  throws(() => prepare([0, ...leb(1000)], 16 * MIB), {
    code: "invalid_argument",
    message:
      "cannot run module: it needs at least 63 MiB of memory and may use 16 MiB: allow more with --memory 63MiB",
  });
});

Deno.test("capMemory() lowers the maximum of an imported memory to the limit", () => {
  const cases: [number[], { initial: number; maximum: number }][] = [
    [[0, 1], { initial: 1, maximum: 10 }],
    [[0, 0], { initial: 0, maximum: 10 }],
    [[1, 1, 4], { initial: 1, maximum: 4 }],
    [[1, 10, 10], { initial: 10, maximum: 10 }],
    [[1, 2, ...leb(65_536)], { initial: 2, maximum: 10 }],
  ];
  for (const [limits, expected] of cases) {
    const prepared = prepareImported(limits);
    deepStrictEqual(prepared.importedMemory, expected);
    const module = new WebAssembly.Module(prepared.bytes.slice());
    const { initial, maximum } = expected;
    const link = (memory: WebAssembly.MemoryDescriptor) =>
      new WebAssembly.Instance(module, { any: { name: new WebAssembly.Memory(memory) } });
    ok(link({ initial, maximum }));
    throws(() => link({ initial, maximum: maximum + 1 }), WebAssembly.LinkError);
    throws(() => link({ initial }), WebAssembly.LinkError);
  }
});

Deno.test("capMemory() names the memory a module needs that imports it", () => {
  throws(() => prepareImported([1, 11, 20]), {
    code: "invalid_argument",
    message:
      "cannot run module: it needs at least 1 MiB of memory and may use 0 MiB: allow more with --memory 1MiB",
  });
});

Deno.test("readMemoryType() refuses shared and 64-bit memories also where they are imported", () => {
  const of = (limits: number[]) => () => prepareImported(limits);
  throws(of([3, 1, 2]), /its memory is shared: threads are not supported, build it without them$/);
  throws(of([4, 1]), /its memory is 64-bit: build it for wasm32$/);
  throws(of([1, 2, 1]), /memory limits are out of range/);
});

Deno.test("readMemory() refuses shared, 64-bit and odd memories", () => {
  const cases: [number[], string][] = [
    [[3, 1, 2], "its memory is shared: threads are not supported, build it without them"],
    [[4, 1], "its memory is 64-bit: build it for wasm32"],
    [[8, 1, 0], "its memory has unknown flags: build it with standard features only"],
    [
      [0, ...leb(65_537)],
      "it is damaged: memory limits are out of range at byte 24: build or copy the file again",
    ],
    [[1, 2, 1], "it is damaged: memory limits are out of range at byte 24: build or copy the file again"],
  ];
  for (const [memory, expected] of cases) {
    throws(() => prepare(memory, MIB), (error) => {
      ok(error instanceof WasimoffError);
      strictEqual(error.message.replace(/byte \d+/, "byte 24"), `cannot run module: ${expected}`);
      return true;
    });
  }
});
