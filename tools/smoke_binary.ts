/**
 * Tries the compiled binary where nothing of the sources is left: `deno run -A tools/smoke_binary.ts`. Compiles a copy
 * of the working tree (COMPILE_DENO and DENORT_BIN as in compile.ts), deletes the copy, and prints a line a check.
 */

// deno-lint-ignore-file no-console -- prints what it does
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { ROOT } from "./project_files.ts";
import { outputOf, runProgram } from "./run_program.ts";
import { SmokeBinary } from "./smoke_process.ts";

/** Started so often for a median. */
const STARTS = 15;

const directory = await Deno.makeTempDir({ prefix: "wasimoff-smoke-" });
let failures = 0;
try {
  await runChecks(await prepare());
} finally {
  await Deno.remove(directory, { recursive: true });
}
console.log(failures === 0 ? "all passed" : `${failures} failed`);
Deno.exitCode = failures === 0 ? 0 : 1;

/** Leaves the binary and, in another directory, the examples. */
async function prepare(): Promise<SmokeBinary> {
  const source = `${directory}/source`;
  const paths = await outputOf("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
  for (const path of paths.split("\0").filter((path) => path !== "")) {
    await Deno.mkdir(`${source}/${path.slice(0, Math.max(0, path.lastIndexOf("/")))}`, { recursive: true });
    await Deno.copyFile(`${ROOT}${path}`, `${source}/${path}`);
  }
  const code = await runProgram(Deno.execPath(), ["run", "-A", "--no-prompt", `${source}/tools/compile.ts`]);
  if (code !== 0) throw new Error(`compiling ended with code ${code}`);
  await Deno.rename(`${source}/dist/wasimoff`, `${directory}/wasimoff`);
  await Deno.rename(`${source}/examples`, `${directory}/examples`);
  await Deno.remove(source, { recursive: true });
  await Deno.mkdir(`${directory}/temporary`);
  return new SmokeBinary(`${directory}/wasimoff`, `${directory}/examples`, `${directory}/temporary`);
}

async function check(what: string, test: () => Promise<void>): Promise<void> {
  const startMs = performance.now();
  try {
    await test();
    console.log(`pass  ${what} (${Math.round(performance.now() - startMs)} ms)`);
  } catch (error) {
    failures++;
    console.log(`FAIL  ${what}: ${error instanceof Error ? error.message : error}`);
  }
}

async function runChecks(binary: SmokeBinary): Promise<void> {
  await check("--version and --help", async () => {
    const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
    deepStrictEqual(await binary.run(["--version"]), {
      code: 0,
      stdout: `wasimoff ${version}\n`,
      stderr: "",
    });
    match((await binary.run(["--help"])).stdout, /^Usage: wasimoff COMMAND/);
  });
  await check("run: a filter", () => upcase(binary, ["run"]));
  await check("run: files in and out", () => report(binary, ["run"]));
  await using broker = await binary.serve(
    ["broker", "--http", "localhost:0", "--storage", "store"],
    /at (\S+)/,
  );
  const url = ["--url", broker.said[1]!];
  await using provider = await binary.serve(["provider", ...url, "-j", "2"], /provider is ready/);
  await check("submit: a filter", () => upcase(binary, ["submit", ...url]));
  await check("submit: files in and out", () => report(binary, ["submit", ...url]));
  await check("submit: tsp, words, ticker, noop", () => others(binary, url));
  await check("upload, files ls, submit by name, providers ls", () => stored(binary, url));
  await check("a killed provider leaves no slot and no guard behind", async () => {
    strictEqual((await binary.processes()).length, 5, "broker, provider, guard and two slots");
    provider.kill("SIGKILL");
    await binary.onlyProcesses([broker.pid]);
  });
  await check("the broker leaves at SIGTERM", async () => {
    broker.kill("SIGTERM");
    strictEqual((await broker.status).code, 0);
    await binary.onlyProcesses([]);
  });
  await check("demo", async () => {
    const { code, stdout } = await binary.run(["demo"]);
    strictEqual(code, 0);
    match(stdout, /^speed-up +[0-9.]+ times$/m);
    await binary.onlyProcesses([]);
  });
  await check("no temporary file is left", async () => {
    deepStrictEqual(await Array.fromAsync(Deno.readDir(binary.temporary), ({ name }) => name), []);
  });
  for (const words of [["slot"], ["--version"], ["submit", "--help"]]) {
    const { medianMs, rssMiB } = await binary.measureStart(words, STARTS);
    console.log(
      `note  "${words.join(" ")}" answers after ${medianMs.toFixed(1)} ms, RSS ${rssMiB.toFixed(1)} MiB`,
    );
  }
}

async function upcase(binary: SmokeBinary, command: readonly string[]): Promise<void> {
  const result = await binary.run([...command, "upcase/upcase.wasm"], "hello\n");
  deepStrictEqual(result, { code: 0, stdout: "HELLO\n", stderr: "" });
}

async function report(binary: SmokeBinary, command: readonly string[]): Promise<void> {
  const flags = ["--dir", "report/data::.", "--artifact", "out", "-o", "result"];
  const { code, stderr } = await binary.run([...command, ...flags, "report/report.wasm"]);
  strictEqual(code, 0, stderr);
  match(await Deno.readTextFile(`${directory}/examples/result/out/summary.csv`), /visitors/);
  await Deno.remove(`${directory}/examples/result`, { recursive: true });
}

async function others(binary: SmokeBinary, url: readonly string[]): Promise<void> {
  const submit = async (name: string, args: readonly string[] = [], stdin = "") => {
    const result = await binary.run(["submit", ...url, `${name}/${name}.wasm`, "--", ...args], stdin);
    strictEqual(result.code, 0, result.stderr);
    return result.stdout;
  };
  match(await submit("tsp", ["--seed", "7"]), /best of 500 tours/);
  match(await submit("words", ["--top", "1"], "one two one"), /one/);
  match(await submit("ticker", ["2", "10"]), /^tick 2 of 2/m);
  strictEqual(await submit("noop"), "");
}

async function stored(binary: SmokeBinary, url: readonly string[]): Promise<void> {
  const { stdout: ref } = await binary.run(["upload", ...url, "upcase/upcase.wasm", "--name", "up"]);
  match(ref, /^sha256:[0-9a-f]{64}\n$/);
  const files = await binary.run(["files", "ls", ...url]);
  ok(files.stdout.includes(`up `) && files.stdout.includes(ref.trim()), files.stdout);
  strictEqual((await binary.run(["submit", ...url, "up"], "by name")).stdout, "BY NAME");
  match((await binary.run(["providers", "ls", ...url])).stdout, /^NAME/);
}
