/** The committed generated code is what `deno task generate` writes. */

import { deepStrictEqual } from "node:assert/strict";
import { filesBelow, ROOT } from "../tools/project_files.ts";
import { generate, GENERATED, missingProtoc } from "../tools/generate.ts";

const missing = await missingProtoc();
const inCi = Deno.env.get("CI") === "true";

/** The contents of all files by their path. */
async function contents(directory: string): Promise<Record<string, string>> {
  const paths = await filesBelow(directory, ".ts");
  const texts = await Promise.all(paths.map((path) => Deno.readTextFile(`${directory}/${path}`)));
  return Object.fromEntries(paths.map((path, index) => [path, texts[index] ?? ""]));
}

Deno.test({
  name: `${GENERATED} matches proto/${missing === null ? "" : ` (${missing})`}`,
  ignore: missing !== null && !inCi,
  async fn() {
    const fresh = await Deno.makeTempDir({ prefix: "wasimoff-generated-" });
    try {
      await generate(fresh);
      const committed = await contents(`${ROOT}${GENERATED}`);
      deepStrictEqual(committed, await contents(fresh), "run `deno task generate` and commit what it writes");
    } finally {
      await Deno.remove(fresh, { recursive: true });
    }
  },
});
