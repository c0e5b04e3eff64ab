import { deepEqual, equal, rejects } from "node:assert/strict";
import { TunnelNamesFile } from "../../../core/host/tunnel_names_file.ts";

Deno.test("TunnelNamesFile.load() gives what was saved, and nothing before", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const entries = [{ name: "db", key: "k", token: "" }, { name: "web", key: "k", token: "t" }];
    deepEqual(await new TunnelNamesFile(directory).load(), []);
    await new TunnelNamesFile(directory).save(entries);
    deepEqual(await new TunnelNamesFile(directory).load(), entries);
    deepEqual([...Deno.readDirSync(directory)].map(({ name }) => name), ["tunnel_names.json"]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("TunnelNamesFile.load() refuses a damaged file and leaves it alone", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const bad = [
      ...["", "{", "null", '{"schema":2,"names":[]}', '{"schema":1,"names":[null]}'],
      ...[{ name: "../a" }, { name: "www" }, { key: 1 }, { token: null }].map((fields) =>
        JSON.stringify({ schema: 1, names: [{ name: "db", key: "k", token: "", ...fields }] })
      ),
    ];
    for (const text of bad) {
      await Deno.writeTextFile(`${directory}/tunnel_names.json`, text);
      await rejects(new TunnelNamesFile(directory).load(), { code: "failed_precondition" }, text);
      equal(await Deno.readTextFile(`${directory}/tunnel_names.json`), text);
    }
    await rejects(new TunnelNamesFile(`${directory}/none`).save([]), { code: "failed_precondition" });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
