import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import { prepareModule } from "../../../core/wasi/module_check.ts";
import { START_EXPORT } from "../../../core/wasi/module_exports.ts";
import {
  commandModule,
  functionType,
  HEADER,
  I32,
  importedFunction,
  importedMemory,
  leb,
  type ModuleParts,
  name,
  section,
} from "../../support/module_builder.ts";

const LIMITS = { maxMemoryBytes: 4 * 1024 * 1024, maxModuleBytes: 1024 * 1024, heapTypes: true };

function refusal(bytes: Uint8Array, limits = LIMITS): string {
  try {
    prepareModule(bytes, limits).bytes;
  } catch (error) {
    ok(error instanceof WasimoffError, String(error));
    strictEqual(error.code, "invalid_argument");
    return error.message.replace("cannot run module: ", "");
  }
  throw new Error("the module was not refused");
}

const text = (value: string) => new TextEncoder().encode(value);

Deno.test("prepareModule() returns a command that compiles, and leaves a fitting memory alone", async () => {
  const bytes = commandModule({ memory: [1, 1, 64] });
  strictEqual(prepareModule(bytes, LIMITS).bytes, bytes);
  const module = await WebAssembly.compile(bytes);
  deepStrictEqual(WebAssembly.Module.exports(module).map(({ name }) => name), ["_start", "memory"]);
});

Deno.test("prepareModule() accepts a command without memory", () => {
  const bytes = commandModule({ memory: null });
  strictEqual(prepareModule(bytes, LIMITS).bytes, bytes);
});

Deno.test("prepareModule() accepts every function of WASI with its own type", () => {
  const types = [functionType([I32], []), functionType([I32, I32, I32, I32], [I32])];
  const imports = [
    importedFunction("wasi_snapshot_preview1", "proc_exit", 1),
    importedFunction("wasi_unstable", "fd_write", 2),
  ];
  ok(WebAssembly.validate(prepareModule(commandModule({ types, imports }), LIMITS).bytes.slice()));
});

Deno.test("prepareModule() reads past types of garbage-collected languages", () => {
  const struct = [0x5f, 2, 0x7f, 0, 0x63, 0x6e, 1];
  const types = [[0x4e, 2, ...struct, 0x50, 0, 0x5e, 0x78, 1], [0x4f, 1, 2, 0x5e, 0x78, 1]];
  const bytes = commandModule({ types, memory: [1, 1, 2] });
  ok(WebAssembly.validate(bytes));
  strictEqual(prepareModule(bytes, LIMITS).bytes, bytes);
});

Deno.test("prepareModule() names what is no module", () => {
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(), "it is empty"],
    [text("\x7fELF\x02\x01"), "it is a native Linux program (ELF)"],
    [text("PK\x03\x04...."), "it is a ZIP archive"],
    [text("#!/bin/sh\n"), "it is a script"],
    [text("  (module)"), "it is WebAssembly text: translate it first, for example with wat2wasm"],
    [text("hello"), "it is a text file"],
    [Uint8Array.of(0xff, 0xfe, 1), "it is not WebAssembly"],
    [Uint8Array.from(HEADER.slice(0, 6)), "it is damaged: it ends within its header"],
    [Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0), "it is a component, which is not supported"],
    [Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0), "it has an unknown version 2.0"],
  ];
  for (const [bytes, expected] of cases) {
    strictEqual(refusal(bytes), `${expected}: build a WASI command, for example with --target wasm32-wasip1`);
  }
});

Deno.test("prepareModule() tells reactors, libraries and odd commands apart", () => {
  const cases: [ModuleParts, RegExp][] = [
    [{ start: "_initialize" }, /^it is a reactor \(it exports _initialize\), it has no function "_start"/],
    [{ start: "main" }, /^it is a library, it has no function "_start"/],
    [{ types: [functionType([I32], [])], startType: 1 }, /^its "_start" takes arguments or returns values/],
    [{ types: [[0x5e, 0x78, 1]], startType: 1 }, /^its "_start" takes arguments/],
    [{ startType: 7 }, /^its "_start" takes arguments/],
    [{ exportMemory: false }, /^its memory is not exported: export it as "memory"$/],
  ];
  for (const [parts, expected] of cases) {
    ok(expected.test(refusal(commandModule(parts))), refusal(commandModule(parts)));
  }
});

Deno.test("prepareModule() refuses a module above the size limit", () => {
  const bytes = commandModule();
  strictEqual(
    refusal(bytes, { ...LIMITS, maxModuleBytes: bytes.length - 1 }),
    `it has ${bytes.length} bytes, more than the ${bytes.length - 1} that are allowed`,
  );
});

Deno.test("prepareModule() refuses imports that nobody provides, and says what to do", () => {
  const of = (module: string, field: string, type = 0) =>
    refusal(commandModule({ imports: [importedFunction(module, field, type)] }));
  strictEqual(
    of("wasi", "thread-spawn"),
    'it imports something unknown, "wasi.thread-spawn": threads are not supported: build for wasm32-wasip1 without threads',
  );
  ok(of("env", "emscripten_notify").includes('"env.emscripten_notify": link every function into the module'));
  ok(of("gojs", "runtime.wasmExit").endsWith("build with GOOS=wasip1 rather than GOOS=js"));
  ok(of("wasi_snapshot_preview1", "fd_teleport").includes("only functions of WASI preview 1"));
  ok(of("wasi_snapshot_preview1", "toString").includes("only functions of WASI preview 1"));
  ok(of("wasi_snapshot_preview1", "fd_write").includes("a function with a wrong type"));
  ok(of("wasi_snapshot_preview1", "fd_write", 99).includes("type 99 does not exist"));
  ok(of('e"\n', "x").includes('"e??.x"'));
});

Deno.test("prepareModule() refuses imports other than functions and a memory", () => {
  const cases: [string, number[]][] = [
    ["__indirect_function_table", [1, 0x70, 0, 1]],
    ["__stack_pointer", [3, 0x7f, 1]],
    ["__cpp_exception", [4, 0, 0]],
  ];
  for (const [field, type] of cases) {
    strictEqual(
      refusal(commandModule({ memoryImports: [[...name("env"), ...name(field), ...type]] })),
      `it imports something unknown, "env.${field}": link every function into the module, and build for WASI, ` +
        "for example with --target wasm32-wasip1",
    );
  }
});

Deno.test("prepareModule() refuses more than one memory, however they come", () => {
  const env = importedMemory("env", "memory", [0, 1]);
  const cases: ModuleParts[] = [
    { memoryImports: [env, env] },
    { memoryImports: [env, importedMemory("env", "other", [0, 1])] },
    { memoryImports: [env], memory: [0, 1] },
  ];
  for (const parts of cases) {
    strictEqual(
      refusal(commandModule(parts)),
      "it has 2 memories, more than one is not supported: build it without multi-memory",
    );
  }
});

Deno.test("prepareModule() takes no other export for _start or the memory", () => {
  const table = { 4: [1, 0x70, 0, 1] };
  const global = { 6: [1, 0x7f, 0, 0x41, 0, 0x0b] };
  const tag = { 13: [1, 0, 0] };
  const cases: [ModuleParts, string][] = [
    [{ start: "main", exports: [[...name("_start"), 1, 0]], sections: table }, 'its "_start" is a table'],
    [{ start: "main", exports: [[...name("_start"), 2, 0]] }, 'its "_start" is a memory'],
    [{ start: "main", exports: [[...name("_start"), 3, 0]], sections: global }, 'its "_start" is a global'],
    [{ start: "main", exports: [[...name("_start"), 4, 0]], sections: tag }, 'its "_start" is a tag'],
    [{ start: "main", exports: [[...name("_start"), 9, 0]] }, 'its "_start" is something unknown'],
  ];
  for (const [parts, expected] of cases) {
    strictEqual(
      refusal(commandModule(parts)),
      `${expected}, not a function: build a WASI command with a main function`,
    );
  }
  for (const kind of [0, 1, 3]) {
    const exports = [[...name("memory"), kind, 0]];
    strictEqual(
      refusal(commandModule({ exportMemory: false, exports, sections: { ...table, ...global } })),
      'its memory is not exported: export it as "memory"',
    );
  }
});

Deno.test("prepareModule() leaves a name that is exported twice to the compiler", () => {
  const bytes = prepareModule(commandModule({ exports: [[...name("memory"), 0, 0]] }), LIMITS).bytes.slice();
  throws(() => new WebAssembly.Module(bytes), /Duplicate export name 'memory'/);
});

Deno.test("prepareModule() makes an export of a start section", () => {
  const prepared = prepareModule(commandModule({ sections: { 8: [0] } }), LIMITS);
  strictEqual(prepared.startExport, START_EXPORT);
  const exports = WebAssembly.Module.exports(new WebAssembly.Module(prepared.bytes.slice()));
  deepStrictEqual(exports.map(({ name }) => name), ["_start", "memory", START_EXPORT]);
  strictEqual(prepareModule(commandModule(), LIMITS).startExport, null);
});

Deno.test("prepareModule() refuses a start section with a function that takes arguments, or none", () => {
  const types = [functionType([I32], [])];
  const sections = { 3: [2, 0, 1], 8: [1], 10: [2, 2, 0, 0x0b, 2, 0, 0x0b] };
  match(refusal(commandModule({ types, sections })), /^its start function takes arguments/);
  match(refusal(commandModule({ sections: { 8: [7] } })), /function .* is missing/);
});

Deno.test("prepareModule() leaves a module that exports our name to the compiler", () => {
  const exports = [[...name(START_EXPORT), 0, 0]];
  const bytes = prepareModule(commandModule({ exports, sections: { 8: [0] } }), LIMITS).bytes.slice();
  throws(() => new WebAssembly.Module(bytes), /Duplicate export name/);
});

Deno.test("prepareModule() takes custom sections out, wherever they are", () => {
  const plain = commandModule({ memory: [1, 1, 2] });
  const custom = section(0, [...name("name"), 1, 2, 3]);
  const end = 8 + 6; // behind the type section
  const bytes = [
    ...custom,
    ...plain.subarray(8, end),
    ...custom,
    ...custom,
    ...plain.subarray(end),
    ...custom,
  ];
  deepStrictEqual(prepareModule(Uint8Array.from([...HEADER, ...bytes]), LIMITS).bytes, new Uint8Array(plain));
});

Deno.test("prepareModule() refuses 50,000 memories by their count, without reading them", () => {
  const memories = new Array(50_000).fill([0, 0]).flat();
  const whole = Uint8Array.from([...HEADER, ...section(5, [...leb(50_000), ...memories])]);
  const countOnly = Uint8Array.from([...HEADER, ...section(5, leb(50_000))]);
  for (const bytes of [whole, countOnly]) {
    strictEqual(
      refusal(bytes),
      "it has 50000 memories, more than one is not supported: build it without multi-memory",
    );
  }
});

Deno.test("prepareModule() refuses sections out of order, unknown, cut or too many", () => {
  const custom = Array.from({ length: 1001 }, () => section(0, [0])).flat();
  const cases: [number[], string][] = [
    [[...section(5, [0]), ...section(5, [0])], "section 5 is out of order at byte 11"],
    [[...section(7, [0]), ...section(1, [0])], "section 1 is out of order at byte 11"],
    [section(14, []), "section 14 is unknown at byte 8"],
    [[1, 4, 1], "it ends early at byte 10"],
    [[1, 0xff, 0xff, 0xff, 0xff, 0x7f], "a number is too long at byte 9"],
    [section(1, [0xff, 0xff, 0x7f]), "a list is longer than its section at byte 10"],
    [section(1, [1, 0x50, 0, 0x50, 0, 0x60, 0, 0]), "a subtype is nested at byte 13"],
    [custom, "it has too many sections at byte 3008"],
  ];
  for (const [sections, expected] of cases) {
    const message = refusal(Uint8Array.from([...HEADER, ...sections]));
    strictEqual(message, `it is damaged: ${expected}: build or copy the file again`);
  }
});

Deno.test("prepareModule() leaves the check of code to the compiler", () => {
  const bytes = commandModule({ body: [0x1a] });
  strictEqual(WebAssembly.validate(prepareModule(bytes, LIMITS).bytes.slice()), false);
  throws(() => new WebAssembly.Module(bytes), WebAssembly.CompileError);
});
