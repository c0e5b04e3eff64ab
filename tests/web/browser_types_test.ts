/** The type check for browsers notices what only Deno has. */

import { match, strictEqual } from "node:assert/strict";
import { ROOT } from "../../tools/project_files.ts";

async function check(source: string): Promise<{ success: boolean; text: string }> {
  const path = await Deno.makeTempFile({ prefix: "wasimoff-browser-", suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, source);
    const args = ["check", "--no-lock", "--config", `${ROOT}web/browser.json`, path];
    const { success, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
    return { success, text: new TextDecoder().decode(stderr) };
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("the type check for browsers knows theirs and refuses those of Deno", async () => {
  strictEqual((await check("export const title: string = document.title;")).success, true);
  const { success, text } = await check("export const pid = Deno.pid;");
  strictEqual(success, false);
  match(text, /Cannot find name 'Deno'/);
});
