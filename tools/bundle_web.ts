/**
 * Bundles what browsers run: `deno run -A tools/bundle_web.ts [DIRECTORY]` writes the entries of web/ as one file
 * each, `dist/web/slot_worker.js`. They are never committed.
 */

// deno-lint-ignore-file no-console -- prints what it does
import { ROOT } from "./project_files.ts";
import { outputOf } from "./run_program.ts";

/** What is served to browsers, without its ending. */
const ENTRIES = ["slot_worker"] as const;

/** Bundles one file with all it may ever import, so that its script needs no further one. */
export async function bundle(entry: string, output: string): Promise<void> {
  await outputOf(Deno.execPath(), [
    "bundle",
    "--quiet",
    "--minify",
    "--platform",
    "browser",
    "--output",
    output,
    entry,
  ]);
}

if (import.meta.main) {
  const directory = Deno.args[0] ?? `${ROOT}dist/web`;
  for (const entry of ENTRIES) {
    const output = `${directory}/${entry}.js`;
    await bundle(`${ROOT}web/${entry}.ts`, output);
    console.log(`bundled ${output}`);
  }
}
