import { equal, rejects } from "node:assert/strict";
import { readOperatorFile } from "../../../core/host/operator_file.ts";

Deno.test("readOperatorFile() gives the text, and names the file that cannot be read", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/list`;
  const limit = { bytes: 5, message: "it is too large for a list" };
  try {
    await Deno.writeTextFile(path, "12345");
    equal(await readOperatorFile(path, { what: "list", limit }), "12345");
    await Deno.writeTextFile(path, "123456");
    equal(await readOperatorFile(path, { what: "list" }), "123456");
    const table: [path: string, what: string, message: string][] = [
      [path, "list", `read list "${path}": it is too large for a list`],
      [path, "", `read "${path}": it is too large for a list`],
      [`${path}2`, "list", `read list "${path}2": there is no such file`],
    ];
    for (const [path, what, message] of table) {
      await rejects(readOperatorFile(path, { what, limit }), { code: "failed_precondition", message });
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
