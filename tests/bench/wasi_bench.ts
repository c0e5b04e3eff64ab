/** What the WASI room costs: a run of its own, and the calls programs make most. Run with `deno bench`. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WASI } from "node:wasi";
import { File } from "../../core/wasi/file.ts";
import { Directory, emptyDirectory, forkDirectory } from "../../core/wasi/inode.ts";
import type { Program } from "../../core/wasi/program.ts";
import { runProgram } from "../../core/wasi/run.ts";
import { compileFixture, makeProgram } from "../core/wasi/guest_fixture.ts";
import { START_EXPORT } from "../core/wasi/module_bytes.ts";

const NOOP = new WebAssembly.Module(
  // The start function is the only function here, so its index is 0; one page of memory.
  new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 4, 1, 0x60, 0, 0],
    ...[3, 2, 1, 0],
    ...[5, 3, 1, 0, 1],
    ...START_EXPORT[1]!.slice(0, -1),
    0,
    ...[10, 4, 1, 2, 0, 0x0b],
  ]),
);
const LOAD = compileFixture("load");
/** Imports of LOAD that do nothing. */
const STUBS: WebAssembly.Imports = {
  wasi_snapshot_preview1: Object.fromEntries(
    WebAssembly.Module.imports(LOAD).map(({ name }) => [name, () => 0]),
  ),
};
const RUNS = 100;
const CALLS_64_KIB = 1024;
const CALLS_SMALL = 10_000;

/** 10,000 files in `many`. */
const LARGE = emptyDirectory();
{
  const many = new Directory(LARGE.volume, 0n);
  LARGE.add("many", many, 0n);
  for (let index = 0; index < 10_000; index++) {
    many.add(`file-${index}`, new File(LARGE.volume, 0n), 0n);
  }
}

/** Directory of the host for node:wasi, where it makes the file that it opens. */
const HOST_DIRECTORY = mkdtempSync(join(tmpdir(), "wasimoff-bench-"));
globalThis.addEventListener("unload", () => rmSync(HOST_DIRECTORY, { recursive: true }));

async function load(kind: string, calls: number, parts: Partial<Program> = {}): Promise<void> {
  const { ending } = await runProgram(makeProgram(LOAD, { args: ["load", kind, String(calls)], ...parts }));
  assert.deepEqual(ending, { kind: "exit", status: 0 });
}

/** Dead instances give their memory back only in a turn of the event loop, as between the tasks of a slot. */
const turn = () => new Promise((resolve) => setTimeout(resolve));

/** Measures `RUNS` calls at once: more instances than that must not live without a turn of the event loop. */
function benchRuns(name: string, run: () => unknown): void {
  Deno.bench(`${RUNS} times ${name}`, { group: "run" }, async (bench) => {
    await turn();
    bench.start();
    for (let count = 0; count < RUNS; count++) await run();
    bench.end();
  });
}

benchRuns("floor: WebAssembly.Instance of a no-op", () => new WebAssembly.Instance(NOOP));
benchRuns("runProgram() of a no-op", () => runProgram(makeProgram(NOOP)));
benchRuns("floor: WebAssembly.Instance of a C program", () => new WebAssembly.Instance(LOAD, STUBS));
benchRuns("runProgram() of a C program that does nothing", () => load("none", 0));

Deno.bench("forkDirectory() of 10,000 files and one lookup", { group: "fork" }, () => {
  forkDirectory(LARGE).lookup("many");
});

Deno.bench(`append 64 KiB to a file, ${CALLS_64_KIB} times (64 MiB)`, { group: "64 KiB" }, async (bench) => {
  await turn();
  bench.start();
  await load("append", CALLS_64_KIB);
  bench.end();
});

Deno.bench(`write 64 KiB to stdout, ${CALLS_64_KIB} times (64 MiB)`, { group: "64 KiB" }, async (bench) => {
  await turn();
  bench.start();
  await load("stdout", CALLS_64_KIB);
  bench.end();
});

Deno.bench(`lines of 64 bytes to stdout, ${CALLS_SMALL} times`, { group: "lines" }, async (bench) => {
  await turn();
  bench.start();
  await load("lines", CALLS_SMALL);
  bench.end();
});

/** As `load`, by node:wasi on a directory of the host. */
function loadNode(kind: string, calls: number): void {
  const wasi = new WASI({
    version: "preview1",
    args: ["load", kind, String(calls)],
    preopens: { ".": HOST_DIRECTORY },
    returnOnExit: true,
  });
  const imports = wasi.getImportObject() as WebAssembly.Imports;
  assert.equal(wasi.start(new WebAssembly.Instance(LOAD, imports)), 0);
}

/** Measures one kind of call beside node:wasi. */
function benchCalls(kind: string, calls: number, what: string): void {
  Deno.bench(what, { group: kind, baseline: true }, async (bench) => {
    await turn();
    const preopens = [{ path: ".", directory: forkDirectory(LARGE) }];
    bench.start();
    await load(kind, calls, { preopens });
    bench.end();
  });
  Deno.bench(`${what}, by node:wasi`, { group: kind }, async (bench) => {
    await turn();
    bench.start();
    loadNode(kind, calls);
    bench.end();
  });
}

benchCalls("stat", CALLS_SMALL, `stat, ${CALLS_SMALL} times`);
benchCalls("open", CALLS_SMALL, `open and close, ${CALLS_SMALL} times`);

// Alone: node:wasi of Deno 2.9.6 ends a listing after the first buffer, some 128 files.
Deno.bench("list a directory of 10,000 files", { group: "list" }, async (bench) => {
  await turn();
  const preopens = [{ path: ".", directory: forkDirectory(LARGE) }];
  bench.start();
  await load("list", 1, { preopens });
  bench.end();
});
