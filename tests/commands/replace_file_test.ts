/** Tests of replacing files. */

import assert from "node:assert/strict";
import { replaceFile } from "../../commands/replace_file.ts";
import { temporaryDirectory } from "./temporary_directory.ts";

Deno.test("replaceFile() keeps the old file and leaves nothing beside it when writing fails", async () => {
  await using directory = await temporaryDirectory();
  const path = `${directory.path}/file`;
  await Deno.writeTextFile(path, "old");
  await assert.rejects(
    replaceFile(path, async (temporary) => {
      await Deno.writeTextFile(temporary, "half");
      throw new Error("full");
    }),
    { message: "full" },
  );
  assert.equal(await Deno.readTextFile(path), "old");
  assert.equal((await Array.fromAsync(Deno.readDir(directory.path))).length, 1);
});
