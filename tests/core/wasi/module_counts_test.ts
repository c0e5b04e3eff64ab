import { ok, throws } from "node:assert/strict";
import { prepareModule } from "../../../core/wasi/module_check.ts";
import { MAX_FUNCTION_BYTES } from "../../../core/wasi/module_counts.ts";
import { MAX_TYPES } from "../../../core/wasi/module_types.ts";
import { commandModule, functionType, HEADER, I32, leb, section } from "../../support/module_builder.ts";

const MIB = 1024 * 1024;
const LIMITS = { maxMemoryBytes: MIB, maxModuleBytes: 16 * MIB, heapTypes: true };

/** A module of one large section, which need not be complete to be refused. */
function prepareSection(id: number, head: readonly number[], size = head.length): void {
  const start = [...HEADER, id, ...leb(size), ...head];
  const bytes = new Uint8Array(start.length - head.length + size);
  bytes.set(start);
  prepareModule(bytes, LIMITS);
}

Deno.test("checkCounts() refuses too many items by their count, without reading them", () => {
  const cases: [number, string, number][] = [
    [2, "imports", 1_000],
    [3, "functions", 250_000],
    [13, "tags", 1_000],
    [6, "globals", 100_000],
    [7, "exports", 10_000],
    [9, "element segments", 100_000],
    [11, "data segments", 100_000],
  ];
  for (const [id, what, max] of cases) {
    throws(() => prepareSection(id, leb(max + 1)), {
      code: "invalid_argument",
      message: `cannot run module: it has ${max + 1} ${what}, more than the ${max} that are allowed`,
    });
    throws(() => prepareSection(id, leb(max)), (error: Error) => !/more than/.test(error.message));
  }
});

Deno.test("checkCounts() refuses types and element segments that take too much room", () => {
  for (const [id, what] of [[1, "type"], [9, "element"]] as const) {
    throws(() => prepareSection(id, [0], 4 * MIB + 1), {
      message:
        `cannot run module: its ${what} section has 4194305 bytes, more than the 4194304 that are allowed`,
    });
    throws(() => prepareSection(id, [0], 4 * MIB), (error: Error) => !/more than/.test(error.message));
  }
});

Deno.test("checkCounts() refuses a function that is too large, wherever it is", () => {
  const small = [2, 0, 0x0b];
  const large = leb(MAX_FUNCTION_BYTES + 1);
  const head = [3, ...small, ...large];
  throws(() => prepareSection(10, head, head.length + MAX_FUNCTION_BYTES + 1 + small.length), {
    message:
      `cannot run module: one of its functions has 2097153 bytes, more than the 2097152 that are allowed: ` +
      "build it with less inlining, or move large tables out of code",
  });
  const fitting = [1, ...leb(MAX_FUNCTION_BYTES)];
  throws(() => prepareSection(10, fitting, fitting.length + MAX_FUNCTION_BYTES), /it is a library/);
});

Deno.test("checkCounts() refuses functions that leave the code section", () => {
  throws(() => prepareModule(commandModule({ sections: { 10: [1, 5, 0, 0x0b] } }), LIMITS), /it ends early/);
  throws(() => prepareModule(commandModule({ sections: { 10: [2, 2, 0, 0x0b] } }), LIMITS), /it ends early/);
});

Deno.test("readTypes() refuses too many types, also in groups", () => {
  const group = [0x4e, ...leb(MAX_TYPES), ...new Array(MAX_TYPES).fill([0x5f, 0]).flat()];
  const fitting = Uint8Array.from([...HEADER, ...section(1, [1, ...group])]);
  throws(() => prepareModule(fitting, LIMITS), /it is a library/);
  throws(
    () => prepareModule(Uint8Array.from([...HEADER, ...section(1, [2, ...group, 0x5f, 0])]), LIMITS),
    /it has 100001 types, more than the 100000 that are allowed$/,
  );
});

Deno.test("checkLists() refuses large functions beside long lists, which V8 keeps for each call and block", () => {
  const prepareLists = (type: number[], bodyBytes: number) => {
    const body = [...leb(bodyBytes), ...new Array(bodyBytes).fill(0x01)];
    return prepareModule(commandModule({ types: [type], sections: { 10: [1, ...body] } }), LIMITS);
  };
  const long = new Array(1_000).fill(I32);
  for (
    const type of [functionType(long, []), functionType([], long), [
      0x4e,
      1,
      0x50,
      0,
      ...functionType(long, []),
    ]]
  ) {
    ok(prepareLists(type, 16_777));
    throws(() => prepareLists(type, 16_778), {
      message:
        "cannot run module: it has a function of 16778 bytes and one with 1000 parameters or results, " +
        "which is too much together: build it with less inlining, or pass them through memory",
    });
  }
  ok(prepareLists(functionType(long.slice(0, 50), []), 300_000));
});
