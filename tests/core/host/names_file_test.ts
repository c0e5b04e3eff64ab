import { deepStrictEqual, rejects } from "node:assert/strict";
import { NamesFile } from "../../../core/host/names_file.ts";
import { refOf, wasmLike } from "../../support/chunks.ts";

Deno.test("NamesFile.load() gives what was saved, and nothing before", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const entries = [{ name: "größe", ref: refOf(wasmLike(1)), owner: "local" }];
    deepStrictEqual(await new NamesFile(directory).load(), []);
    await new NamesFile(directory).save(entries);
    deepStrictEqual(await new NamesFile(directory).load(), entries);
    await new NamesFile(directory).save([]);
    deepStrictEqual(await new NamesFile(directory).load(), []);
    deepStrictEqual([...Deno.readDirSync(directory)].map(({ name }) => name), ["names.json"]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("NamesFile.load() refuses a damaged file and leaves it alone", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const entry = { name: "a", ref: refOf(wasmLike(1)), owner: "local" };
    const bad = [
      "",
      "{",
      "null",
      '{"schema":2,"names":[]}',
      '{"schema":1,"names":[null]}',
      ...[{ name: "../a" }, { ref: "sha256:../../x" }, { owner: 1 }].map((field) =>
        JSON.stringify({ schema: 1, names: [{ ...entry, ...field }] })
      ),
    ];
    for (const text of bad) {
      await Deno.writeTextFile(`${directory}/names.json`, text);
      await rejects(new NamesFile(directory).load(), { code: "failed_precondition" }, text);
      deepStrictEqual(await Deno.readTextFile(`${directory}/names.json`), text);
    }
    await rejects(new NamesFile(`${directory}/none`).save([]), { code: "failed_precondition" });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
