import assert from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import { runProgram } from "../../../core/wasi/run.ts";
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
