/**
 * Runs the benches one after another, each in a process of its own: `deno task bench [NAME…]`. A bench registers
 * with `Deno.bench`, or measures by itself, prints, and ends with `Deno.exit(1)` when it misses a target.
 */

// deno-lint-ignore-file no-console -- prints what it does
import { filesBelow, ROOT } from "./project_files.ts";
import { runProgram } from "./run_program.ts";

const SUFFIX = "_bench.ts";

const DIRECTORY = `${ROOT}tests/bench`;

const all = await filesBelow(DIRECTORY, SUFFIX);
const nameOf = (path: string) => path.slice(0, -SUFFIX.length);
const missing = Deno.args.find((name) => !all.some((path) => nameOf(path) === name));
if (missing !== undefined) {
  console.error(`no bench "${missing}": there are ${all.map(nameOf).join(", ") || "none"}`);
  Deno.exit(2);
}

let failures = 0;
for (const path of all) {
  if (Deno.args.length > 0 && !Deno.args.includes(nameOf(path))) continue;
  console.log(`\n# ${nameOf(path)}`);
  if (await runProgram(Deno.execPath(), ["bench", "-A", "--no-prompt", `${DIRECTORY}/${path}`]) !== 0) {
    failures++;
  }
}
if (failures > 0) {
  console.error(`${failures} benches failed or missed their target`);
  Deno.exit(1);
}
