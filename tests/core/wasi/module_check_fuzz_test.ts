import { ok } from "node:assert/strict";
import fc from "fast-check";
import { WasimoffError } from "../../../core/errors.ts";
import { prepareModule } from "../../../core/wasi/module_check.ts";
import { commandModule, functionType, HEADER, I32, importedFunction } from "../../support/module_builder.ts";

const LIMITS = { maxMemoryBytes: 1024 * 1024, maxModuleBytes: 1024 * 1024 };

const VALID = commandModule({
  types: [functionType([I32, I32, I32, I32], [I32]), [0x4e, 1, 0x50, 0, 0x5f, 1, 0x63, 0x6e, 1]],
  imports: [importedFunction("wasi_snapshot_preview1", "fd_write", 1)],
});

/** Refused with our error, or accepted with a memory that cannot pass the limit. */
function survives(bytes: Uint8Array): void {
  let prepared;
  try {
    prepared = prepareModule(bytes, LIMITS).bytes;
  } catch (error) {
    ok(error instanceof WasimoffError, `${error}`);
    ok(!/[\n\r]/.test(error.message), "the message has one line");
    return;
  }
  if (!WebAssembly.validate(prepared.slice())) return;
  const module = new WebAssembly.Module(prepared.slice());
  ok(WebAssembly.Module.exports(module).some(({ name, kind }) => name === "_start" && kind === "function"));
}

Deno.test("prepareModule() survives arbitrary bytes, with and without a header", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    survives(bytes);
    survives(Uint8Array.from([...HEADER, ...bytes]));
  }));
});

Deno.test("prepareModule() survives a module cut at every byte", () => {
  for (let length = 0; length <= VALID.length; length++) survives(VALID.subarray(0, length));
});

Deno.test("prepareModule() survives every single flipped bit", () => {
  for (let bit = 0; bit < VALID.length * 8; bit++) {
    const bytes = VALID.slice();
    bytes[bit >> 3] = bytes[bit >> 3]! ^ 1 << (bit & 7);
    survives(bytes);
  }
});

Deno.test("prepareModule() survives random overwrites", () => {
  const edits = fc.array(fc.tuple(fc.nat(VALID.length - 1), fc.nat(255)), { maxLength: 6 });
  fc.assert(fc.property(edits, (list) => {
    const bytes = VALID.slice();
    for (const [index, value] of list) bytes[index] = value;
    survives(bytes);
  }));
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
