/** Tests of artifacts on their whole way: from a guest through provider and broker into a directory. */

import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { runCommand } from "../support/command_run.ts";
import { RealCluster } from "../support/real_cluster.ts";
import { temporaryDirectory } from "../commands/temporary_directory.ts";

const GUEST = new URL("../testdata/slot/guest.wasm", import.meta.url).pathname;

async function names(path: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(path), ({ name }) => name)).sort();
}

Deno.test("submit and run save what is there, and fail with the names of what is not", async () => {
  await using cluster = await RealCluster.start();
  await cluster.provider("-j", "1");
  for (const command of [["run"], ["submit", "--url", cluster.url]]) {
    await using directory = await temporaryDirectory();
    const [rootfs, out] = [`${directory.path}/rootfs`, `${directory.path}/out`];
    await Deno.mkdir(`${rootfs}/bin`, { recursive: true });
    await Deno.writeTextFile(`${rootfs}/bin/tool`, "#!", { mode: 0o755 });
    await Deno.symlink("bin/tool", `${rootfs}/link`);
    const artifacts = ["/o*.txt", "/bin", "link", "nope", "/*.gif"].flatMap((path) => ["--artifact", path]);
    const flags = [...command, "--dir", `${rootfs}::/`, ...artifacts, "-o", out, GUEST, "--", "write"];
    const end = await runCommand([...flags, "/out.txt", "result"]);
    deepStrictEqual([end.code, end.stdout], [125, ""]);
    strictEqual(end.stderr, 'wasimoff: artifact not found: "nope", "/*.gif"\n');
    deepStrictEqual(await names(out), ["bin", "link", "out.txt"]);
    strictEqual(await Deno.readTextFile(`${out}/out.txt`), "result");
    strictEqual((await Deno.stat(`${out}/bin/tool`)).mode! & 0o100, 0o100);
    strictEqual(await Deno.readLink(`${out}/link`), "bin/tool");

    const { code, stderr } = await runCommand([...flags, "/out.txt", "again", "9"]);
    strictEqual(code, 9);
    match(stderr, /artifact not found: "nope", "\/\*\.gif"\n/);
    strictEqual(await Deno.readTextFile(`${out}/out.txt`), "again");
  }
});

Deno.test("run leaves the place for artifacts alone when nothing is there", async () => {
  await using directory = await temporaryDirectory();
  const out = `${directory.path}/out.zip`;
  const { code, stderr } = await runCommand([
    "run",
    "--artifact",
    "nope",
    "-o",
    out,
    GUEST,
    "--",
    "exit",
    "0",
  ]);
  deepStrictEqual([code, stderr], [125, 'wasimoff: artifact not found: "nope"\n']);
  await rejects(Deno.stat(out), Deno.errors.NotFound);
});
