/**
 * Makes dist/wasimoff, one file with everything in it: `deno task compile`. COMPILE_DENO may name another Deno that
 * compiles (and DENORT_BIN its runtime), where the runtime of this one cannot be downloaded.
 */

// deno-lint-ignore-file no-console -- prints what it does
import { embedPyodide } from "../core/host/pyodide_files.ts";
import { filesBelow, ROOT } from "./project_files.ts";
import { runProgram } from "./run_program.ts";

const STAGE = `${ROOT}dist/stage`;
const BINARY = `${ROOT}dist/wasimoff`;

/**
 * `deno compile` reads an embedded .wasm as a module and wants its imports to resolve; nobody ever imports it.
 */
const STAGE_CONFIG = { imports: { wasi_snapshot_preview1: "data:text/javascript," } };

/**
 * Splitting keeps the commands' lazy imports, so that a slot starts without the rest of the program. Not minified:
 * the runtime weighs 200 times as much, and stack traces stay readable.
 */
const BUNDLE = ["bundle", "--quiet", "--code-splitting", "--platform", "deno"];

async function must(program: string, args: readonly string[]): Promise<void> {
  const code = await runProgram(program, args);
  if (code === 0) return;
  console.error(
    `compile: "deno ${args[0]}" ended with code ${code}; offline, set COMPILE_DENO and DENORT_BIN`,
  );
  Deno.exit(1);
}

/**
 * Lays the bundle and the examples out as the sources are, one directory deep: `../examples/…` from the URL of a
 * file in commands/ is right in both. Pyodide comes from its package.
 */
async function stage(): Promise<void> {
  await Deno.remove(`${ROOT}dist`, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await must(Deno.execPath(), [...BUNDLE, "--outdir", `${STAGE}/commands`, `${ROOT}main.ts`]);
  for (const path of await filesBelow(`${ROOT}examples`, ".wasm")) {
    await Deno.mkdir(`${STAGE}/examples/${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
    await Deno.copyFile(`${ROOT}examples/${path}`, `${STAGE}/examples/${path}`);
  }
  await embedPyodide(`${STAGE}/pyodide`);
  const { unstable = [] } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  await Deno.writeTextFile(`${STAGE}/deno.json`, JSON.stringify({ ...STAGE_CONFIG, unstable }));
}

await stage();
const compiler = Deno.env.get("COMPILE_DENO") ?? Deno.execPath();
// The code cache would be a file of predictable name in the temporary directory, where others may put theirs first.
await must(compiler, [
  ...[
    "compile",
    "--quiet",
    "--no-check",
    "--no-code-cache",
    "-A",
    "--no-prompt",
    "--config",
    `${STAGE}/deno.json`,
  ],
  ...[
    "--include",
    `${STAGE}/examples`,
    "--include",
    `${STAGE}/pyodide`,
    "--output",
    BINARY,
    `${STAGE}/commands/main.js`,
  ],
]);
await Deno.remove(STAGE, { recursive: true });
const { size } = await Deno.stat(BINARY);
console.log(`dist/wasimoff: ${(size / 1e6).toFixed(1)} MB`);
