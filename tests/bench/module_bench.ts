/**
 * What it costs to check and rewrite a module before it is compiled, beside copying its bytes. Prints, and ends with
 * 1 when a module of 10 MB takes longer than it may.
 */

// deno-lint-ignore-file no-console -- prints what it measures
import { MAX_FUNCTION_BYTES } from "../../core/wasi/module_counts.ts";
import { prepareModule } from "../../core/wasi/module_check.ts";
import { functionType, HEADER, I32, importedFunction, leb, name, vector } from "../support/module_builder.ts";

const MIB = 1024 * 1024;
const LIMITS = { maxMemoryBytes: 64 * MIB, maxModuleBytes: 64 * MIB, heapTypes: true };
const ROUNDS = 30;
const TARGET_MS = 10;

type Bytes = Uint8Array | readonly number[];

function concat(parts: readonly Bytes[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/** A section of `count` items that are all the same, after some others. */
function repeated(
  id: number,
  count: number,
  { item, first = [] }: { item: Bytes; first?: readonly Bytes[] },
) {
  const items = concat(new Array<Bytes>(count).fill(item));
  const contents = concat([leb(count + first.length), ...first, items]);
  return concat([[id], leb(contents.length), contents]);
}

function single(id: number, contents: readonly number[]): Bytes {
  return [id, ...leb(contents.length), ...contents];
}

const WASI_TYPE = functionType([I32, I32, I32, I32], [I32]);
const START = [...name("_start"), 0, 1];
const MEMORY = [...name("memory"), 2, 0];

/** As a compiler would make it, with 7,000 functions and names for debugging; memory and table have no maximum. */
function typical(): Uint8Array {
  const body = concat([leb(1000), new Uint8Array(999).fill(1).fill(0, 0, 1), [0x0b]]);
  return concat([
    HEADER,
    single(1, vector([functionType([], []), WASI_TYPE])),
    single(2, vector([importedFunction("wasi_snapshot_preview1", "fd_write", 1)])),
    repeated(3, 7_000, { item: [0] }),
    single(4, [1, 0x70, 0, ...leb(11_102)]),
    single(5, [1, 0, 16]),
    single(7, vector([START, MEMORY])),
    repeated(10, 7_000, { item: body }),
    repeated(11, 2_000, { item: concat([[1], leb(500), new Uint8Array(500)]) }),
    single(0, name("producers")),
    concat([[0], leb(2 * MIB), name("name"), new Uint8Array(2 * MIB - 5)]),
  ]);
}

/** As many small items as may be, up to the limits of everything that is read one by one. */
function crowded(): Uint8Array {
  const exports = Array.from({ length: 9_998 }, (_, index) => [...name(`export ${index}`), 0, 1]);
  return concat([
    HEADER,
    repeated(1, 99_998, {
      item: functionType([I32, I32, I32], []),
      first: [functionType([], []), WASI_TYPE],
    }),
    repeated(2, 1_000, { item: importedFunction("wasi_snapshot_preview1", "fd_write", 1) }),
    repeated(3, 250_000, { item: [0] }),
    repeated(4, 100, { item: [0x40, 0, 0x70, 0, 1, 0xd0, 0x70, 0x0b] }),
    single(5, [1, 0, 16]),
    repeated(6, 100_000, { item: [0x7f, 0, 0x41, 0, 0x0b] }),
    single(7, vector([[...name("_start"), 0, ...leb(250_999)], MEMORY, ...exports])),
    repeated(10, 250_000, { item: [2, 0, 0x0b] }),
    ...new Array(900).fill(single(0, name("custom"))),
  ]);
}

/** Few items, and all of them as large as they may be. */
function largest(): Uint8Array {
  const body = concat([leb(MAX_FUNCTION_BYTES), [0], new Uint8Array(MAX_FUNCTION_BYTES - 2).fill(1), [0x0b]]);
  return concat([
    HEADER,
    single(1, vector([functionType([], [])])),
    repeated(3, 4, { item: [0] }),
    single(5, [1, 0, 16]),
    single(7, vector([START, MEMORY])),
    repeated(10, 4, { item: body }),
  ]);
}

/** Times of one call each, in milliseconds, sorted. */
function measure(call: () => unknown): number[] {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    call();
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b);
}

function report(what: string, bytes: Uint8Array): number {
  const floor = measure(() => bytes.slice());
  const prepared = measure(() => prepareModule(bytes, LIMITS));
  const line = (times: number[]) =>
    `p50 ${times[ROUNDS / 2]!.toFixed(2)} ms, worst ${times[ROUNDS - 1]!.toFixed(2)} ms`;
  const size = (bytes.length / 1e6).toFixed(1);
  console.log(
    `prepareModule() of ${what}, ${size} MB: ${line(prepared)} (copying the bytes: ${line(floor)})`,
  );
  return prepared[ROUNDS / 2]!;
}

const typicalMs = report("7,000 functions", typical());
report("as many small items as may be", crowded());
report("four functions of the greatest size", largest());
if (typicalMs > TARGET_MS) {
  console.log(`the target is ${TARGET_MS} ms`);
  Deno.exit(1);
}
