/** The gate that people and CI run: `deno task ok`, or `deno task ok --tested` right after `deno task test`. */

// deno-lint-ignore-file no-console -- prints what it does
import { runProgram } from "./run_program.ts";

const STEPS: readonly (readonly string[])[] = [
  ["fmt", "--check"],
  ["lint"],
  ["check", "."],
  // With the types of browsers, and none of Deno: fails when anything that these reach says `Deno`.
  ["check", "--config", "web/browser.json", "web/slot_worker.ts", "web/worker_slot.ts"],
  ["test", "-A", "tests/layers_test.ts"],
  ["test", "-A", "tests/generated_test.ts"],
];
const TESTS: readonly string[] = ["task", "test"];

const unknown = Deno.args.filter((argument) => argument !== "--tested");
if (unknown.length > 0) throw new Error(`unknown argument "${unknown[0]}": the only one is --tested`);

for (const step of Deno.args.includes("--tested") ? STEPS : [...STEPS, TESTS]) {
  console.log(`ok: deno ${step.join(" ")}`);
  const code = await runProgram(Deno.execPath(), step);
  if (code === 0) continue;
  console.error(`ok: failed: deno ${step.join(" ")}`);
  Deno.exit(code);
}
console.log("ok: everything passed");
