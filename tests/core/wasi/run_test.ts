import assert from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import { prepareModule } from "../../../core/wasi/module_check.ts";
import { runProgram } from "../../../core/wasi/run.ts";
import {
  commandModule,
  functionType,
  I32,
  importedFunction,
  importedMemory as memoryImport,
} from "../../support/module_builder.ts";
import { Collected, compileFixture, makeProgram, MEMORY_CAP_BYTES, runFixture } from "./guest_fixture.ts";
import { bytes, code, importSection, moduleOf, START_EXPORT } from "./module_bytes.ts";

Deno.test("runProgram() passes arguments and environment on, also empty and non-ASCII ones", async () => {
  const stdout = new Collected();
  const env = ["HOME=/", "EMPTY=", "NAME=Jürgen 🦕"];
  const { ending } = await runFixture("args", ["", "größer", "two words", "日本"], { env, stdout });
  assert.deepEqual(ending, { kind: "exit", status: 0 });
  assert.equal(
    stdout.text,
    "arg [args]\narg []\narg [größer]\narg [two words]\narg [日本]\nenv [HOME=/]\nenv [EMPTY=]\nenv [NAME=Jürgen 🦕]\n",
  );
});

Deno.test("runProgram() runs a program without any arguments", async () => {
  const stdout = new Collected();
  const { ending } = await runFixture("args", [], { args: [], stdout });
  assert.deepEqual(ending, { kind: "exit", status: 0 });
  assert.equal(stdout.text, "");
});

Deno.test("runProgram() reports the status as the guest gave it", async () => {
  for (
    const [given, status] of [["0", 0], ["3", 3], ["255", 255], ["256", 256], ["-1", 0xffffffff]] as const
  ) {
    const { ending } = await runFixture("ends", ["exit", given]);
    assert.deepEqual(ending, { kind: "exit", status }, given);
  }
});

Deno.test("runProgram() tells traps apart", async () => {
  const traps = [
    ["abort", "unreachable"],
    ["outside", "memory access out of bounds"],
    ["recurse", "stack overflow: the calls of the program are nested too deeply"],
  ] as const;
  for (const [how, message] of traps) {
    const { ending } = await runFixture("ends", [how]);
    assert.deepEqual(ending, { kind: "trap", message });
  }
});

Deno.test("runProgram() ends a program that returns from main with 0", async () => {
  const stdout = new Collected();
  const { ending } = await runFixture("ends", ["say"], { stdout });
  assert.deepEqual(ending, { kind: "exit", status: 0 });
  assert.equal(stdout.text, "said\n");
});

Deno.test("runProgram() puts a trap at the cap down to memory", async () => {
  const { ending, memoryBytes } = await runFixture("ends", ["hog"]);
  assert.deepEqual(ending, { kind: "memory", message: "out of memory: unreachable" });
  assert.equal(memoryBytes, MEMORY_CAP_BYTES);
});

Deno.test("runProgram() puts a trap down to memory from 95 % of the cap on", async () => {
  const capPages = 100;
  for (const [pages, kind] of [[94, "trap"], [95, "memory"], [100, "memory"]] as const) {
    const module = new WebAssembly.Module(commandModule({ memory: [0, pages], body: [0x00] }));
    const { ending } = await runProgram(makeProgram(module, { memoryCapBytes: capPages * 65_536 }));
    assert.equal(ending.kind, kind, `${pages} of ${capPages} pages`);
  }
});

Deno.test("runProgram() brings the memory that a program imports", async () => {
  const module = compileFixture("import_memory");
  const importedMemory = { initial: 2, maximum: MEMORY_CAP_BYTES / 65_536 };
  const stdout = new Collected();
  const chunks = ["first ", "second", ""].map((text) => new TextEncoder().encode(text));
  const stdin = { read: () => Promise.resolve(chunks.shift()!) };
  const copied = await runProgram(makeProgram(module, { importedMemory, stdin, stdout }));
  assert.deepEqual(copied, { ending: { kind: "exit", status: 0 }, memoryBytes: 2 * 65_536 });
  assert.equal(stdout.text, "first second");
  const full = await runProgram(makeProgram(module, { importedMemory, args: ["program", "hog"] }));
  const ending = { kind: "memory", message: "out of memory: unreachable" };
  assert.deepEqual(full, { ending, memoryBytes: MEMORY_CAP_BYTES });
});

Deno.test("runProgram() takes a memory by whatever name, and touches no prototype", async () => {
  const importedMemory = { initial: 1, maximum: 1 };
  const names = [["__proto__", "toString"], ["constructor", "__proto__"], ["toString", "touched"], ["", ""]];
  for (const [module = "", name = ""] of names) {
    const parts = { memoryImports: [memoryImport(module, name, [1, 1, 1])] };
    const program = makeProgram(new WebAssembly.Module(commandModule(parts)), { importedMemory });
    assert.deepEqual(await runProgram(program), { ending: { kind: "exit", status: 0 }, memoryBytes: 65_536 });
  }
  assert.equal(typeof Object.prototype.toString, "function");
  assert.equal(Object.hasOwn(Object.prototype.toString, "touched"), false);
});

Deno.test("runProgram() calls a start function first, with memory and waiting at hand", async () => {
  // Function 2, the start function, writes 5 bytes from address 16; function 1, `_start`, gives what it left at 0.
  const write = [0x41, 1, 0x41, 0, 0x41, 1, 0x41, 8, 0x10, 0, 0x1a];
  const bodies = [[0x41, 8, 0x28, 2, 0, 0x10, 1], write].map((body) => [0, ...body, 0x0b]);
  const prepared = prepareModule(
    commandModule({
      types: [functionType([I32, I32, I32, I32], [I32]), functionType([I32], [])],
      imports: [
        importedFunction("wasi_snapshot_preview1", "fd_write", 1),
        importedFunction("wasi_snapshot_preview1", "proc_exit", 2),
      ],
      sections: {
        3: [2, 0, 0],
        8: [3],
        10: [2, ...bodies.flatMap((body) => [body.length, ...body])],
        11: [1, 0, 0x41, 0, 0x0b, 21, 16, 0, 0, 0, 5, 0, 0, 0, ...Array(8).fill(0), ...[
          104,
          101,
          108,
          108,
          111,
        ]],
      },
    }),
    { maxMemoryBytes: MEMORY_CAP_BYTES, maxModuleBytes: 1024, heapTypes: true },
  );
  const { startExport } = prepared;
  const module = new WebAssembly.Module(prepared.bytes.slice());
  const written = new Collected();
  const stdout = { write: (chunk: Uint8Array) => Promise.resolve(written.write(chunk)) };
  const { ending } = await runProgram(makeProgram(module, { startExport, stdout }));
  assert.deepEqual(ending, { kind: "exit", status: 5 });
  assert.equal(written.text, "hello");
});

Deno.test("runProgram() names an imported memory that it was not told of", async () => {
  const parts = { memoryImports: [memoryImport("env", "memory", [0, 1])] };
  await assert.rejects(runProgram(makeProgram(new WebAssembly.Module(commandModule(parts)))), {
    code: "invalid_argument",
    message: 'run module: import "env.memory" is not provided',
  });
});

Deno.test("runProgram() gives every run a memory and descriptors of its own", async () => {
  const module = compileFixture("ends");
  for (let run = 0; run < 3; run++) {
    // Opens until EMFILE and checks that the last descriptor was the last there can be.
    const { ending } = await runProgram(makeProgram(module, { args: ["ends", "endless-open"] }));
    assert.deepEqual(ending, { kind: "exit", status: 9 });
  }
});

Deno.test("runProgram() names an import that is not provided", async () => {
  const module = moduleOf(importSection("env", "fork"), ...START_EXPORT);
  await assert.rejects(runProgram(makeProgram(module)), (error) => {
    assert(error instanceof WasimoffError);
    assert.equal(error.code, "invalid_argument");
    assert.equal(error.message, 'run module: import "env.fork" is not provided');
    return true;
  });
});

Deno.test("runProgram() rejects a module without a start function", async () => {
  await assert.rejects(runProgram(makeProgram(moduleOf())), {
    code: "invalid_argument",
    message: 'run module: export "_start" is not a function',
  });
});

Deno.test("runProgram() ends a guest that catches its own end", async () => {
  // try { proc_exit(3) } catch_all {}; proc_exit(4)
  const body = [0x06, 0x40, 0x41, 3, 0x10, 0, 0x19, 0x0b, 0x41, 4, 0x10, 0, 0x0b];
  const module = moduleOf(
    bytes(1, 8, 2, 0x60, 1, 0x7f, 0, 0x60, 0, 0),
    importSection("wasi_snapshot_preview1", "proc_exit"),
    bytes(3, 2, 1, 1),
    START_EXPORT[1]!,
    code(body),
  );
  const { ending } = await runProgram(makeProgram(module));
  assert.deepEqual(ending, { kind: "exit", status: 3 });
});

Deno.test("runProgram() takes the end of a start function for the end of the program", async () => {
  const ends = [
    ["calls itself without end", [0x10, 1], {
      kind: "trap",
      message: "stack overflow: the calls of the program are nested too deeply",
    }],
    ["proc_exit(5)", [0x41, 5, 0x10, 0], { kind: "exit", status: 5 }],
    ["unreachable", [0x00], { kind: "trap", message: "unreachable" }],
  ] as const;
  for (const [what, body, ending] of ends) {
    const module = moduleOf(
      bytes(1, 8, 2, 0x60, 1, 0x7f, 0, 0x60, 0, 0),
      importSection("wasi_snapshot_preview1", "proc_exit"),
      bytes(3, 2, 1, 1),
      START_EXPORT[1]!,
      bytes(8, 1, 1),
      code([...body, 0x0b]),
    );
    assert.deepEqual((await runProgram(makeProgram(module))).ending, ending, what);
  }
});

Deno.test("runProgram() works without JSPI as long as nothing has to wait", async () => {
  await withoutJspi(async () => {
    const stdout = new Collected();
    const chunks = [new TextEncoder().encode("all at once"), new Uint8Array(0)];
    const done = await runFixture("cat", [], { stdin: { read: () => chunks.shift()! }, stdout });
    assert.deepEqual(done.ending, { kind: "exit", status: 0 });
    assert.equal(stdout.text, "all at once");
    const stdin = { read: () => Promise.reject(new WasimoffError("aborted", "gone")) };
    // cat ends with 1 when a read fails: ENOTSUP here.
    assert.deepEqual((await runFixture("cat", [], { stdin })).ending, { kind: "exit", status: 1 });
  });
});

async function withoutJspi(body: () => Promise<void>): Promise<void> {
  const runtime = WebAssembly as unknown as Record<string, unknown>;
  const { Suspending } = runtime;
  delete runtime.Suspending;
  try {
    await body();
  } finally {
    Object.defineProperty(runtime, "Suspending", { value: Suspending, configurable: true, writable: true });
  }
}
