/** Tests of packing directories. */

import assert from "node:assert/strict";
import { Uint8ArrayReader, Uint8ArrayWriter, ZipReader } from "@zip.js/zip.js";
import { packDirectory } from "../../commands/pack_directory.ts";
import { ERRNO } from "../../core/wasi/abi.ts";
import { WasiFault } from "../../core/wasi/fault.ts";
import { resolvePath } from "../../core/wasi/path.ts";
import { unpackZip as unpackRootfs } from "../../core/wasi/rootfs.ts";
import type { Symlink } from "../../core/wasi/symlink.ts";
import { temporaryDirectory } from "./temporary_directory.ts";

async function fill(path: string, names: readonly string[]): Promise<void> {
  await Deno.mkdir(`${path}/sub/empty`, { recursive: true });
  for (const name of names) await Deno.writeTextFile(`${path}/${name}`, `content of ${name}`);
  await Deno.symlink("../b.txt", `${path}/sub/link`);
  await Deno.symlink("nowhere", `${path}/dangling`);
}

async function unpack(zip: Uint8Array): Promise<[name: string, mode: string, content: string][]> {
  const reader = new ZipReader(new Uint8ArrayReader(zip), { useWebWorkers: false });
  const found: [string, string, string][] = [];
  for (const entry of await reader.getEntries()) {
    const bytes = entry.directory ? new Uint8Array() : await entry.getData(new Uint8ArrayWriter());
    found.push([entry.filename, (entry.unixMode ?? 0).toString(8), new TextDecoder().decode(bytes)]);
  }
  await reader.close();
  return found;
}

Deno.test("packDirectory() keeps files, empty directories and links, in order", async () => {
  await using directory = await temporaryDirectory();
  await fill(directory.path, ["b.txt", "a.txt", "ä.txt", "sub/z"]);
  assert.deepEqual(await unpack((await packDirectory(directory.path))!), [
    ["a.txt", "100644", "content of a.txt"],
    ["b.txt", "100644", "content of b.txt"],
    ["dangling", "120777", "nowhere"],
    ["sub/", "40755", ""],
    ["sub/empty/", "40755", ""],
    ["sub/link", "120777", "../b.txt"],
    ["sub/z", "100644", "content of sub/z"],
    ["ä.txt", "100644", "content of ä.txt"],
  ]);
});

Deno.test("packDirectory() makes the same bytes of two copies of a tree, whatever their age and order", async () => {
  await using one = await temporaryDirectory();
  await using other = await temporaryDirectory();
  await fill(one.path, ["a", "b", "sub/c"]);
  await fill(other.path, ["sub/c", "b", "a"]);
  await Deno.utime(`${other.path}/a`, 1_000_000, 1_000_000);
  await Deno.chmod(`${other.path}/b`, 0o600);
  assert.deepEqual(await packDirectory(one.path), await packDirectory(other.path));
  await Deno.writeTextFile(`${other.path}/a`, "changed");
  assert.notDeepEqual(await packDirectory(one.path), await packDirectory(other.path));
});

Deno.test("packDirectory() gives null for an empty directory", async () => {
  await using directory = await temporaryDirectory();
  assert.equal(await packDirectory(directory.path), null);
});

Deno.test("packDirectory() names the path of what it cannot pack", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  await assert.rejects(packDirectory(`${path}/no`), {
    code: "not_found",
    message: `pack "${path}/no": there is no such file or directory`,
  });
  await Deno.mkdir(`${path}/sub`);
  const made = await new Deno.Command("mkfifo", { args: [`${path}/sub/fifo`] }).output();
  assert.equal(made.code, 0);
  await assert.rejects(packDirectory(path), {
    code: "invalid_argument",
    message: `pack "${path}/sub/fifo": it is neither a file nor a directory nor a link`,
  });
});

Deno.test("packDirectory() says what is wrong with a name that a ZIP cannot keep", async () => {
  await using directory = await temporaryDirectory();
  await Deno.writeTextFile(`${directory.path}/a\\b`, "");
  await assert.rejects(packDirectory(directory.path), {
    code: "invalid_argument",
    message: /a\\b": rename it, a ZIP cannot keep a backslash$/,
  });
  await assert.rejects(packDirectory(`${directory.path}/a\\b`), {
    message: /it is a file: name a directory$/,
  });
  await Deno.remove(`${directory.path}/a\\b`);
  const made = await new Deno.Command("sh", { args: ["-c", `: > "$0/$(printf 'b\\377')"`, directory.path] })
    .output();
  assert.equal(made.code, 0);
  await assert.rejects(packDirectory(directory.path), { message: /its name is no UTF-8: rename it$/ });
});

Deno.test("packDirectory() keeps links that lead outside, which lead nowhere in a guest", async () => {
  await using directory = await temporaryDirectory();
  await Deno.symlink("/etc/passwd", `${directory.path}/abs`);
  await Deno.symlink("../../etc/passwd", `${directory.path}/up`);
  const { root } = await unpackRootfs((await packDirectory(directory.path))!);
  assert.deepEqual(root.list().map(({ inode }) => (inode as Symlink).path), [
    "/etc/passwd",
    "../../etc/passwd",
  ]);
  for (const name of ["abs", "up"]) {
    assert.throws(() => resolvePath(root, name, "always"), new WasiFault(ERRNO.NOTCAPABLE));
  }
});

Deno.test("packDirectory() keeps that a file may be executed", async () => {
  await using directory = await temporaryDirectory();
  await Deno.writeTextFile(`${directory.path}/run`, "", { mode: 0o755 });
  await Deno.writeTextFile(`${directory.path}/text`, "");
  assert.deepEqual(
    (await unpack((await packDirectory(directory.path))!)).map(([name, mode]) => [name, mode]),
    [
      ["run", "100755"],
      ["text", "100644"],
    ],
  );
});

Deno.test("packDirectory() ends at its limits", async () => {
  await using directory = await temporaryDirectory();
  await Deno.writeFile(`${directory.path}/a`, new Uint8Array(600));
  await Deno.writeFile(`${directory.path}/b`, new Uint8Array(600));
  assert.notEqual(await packDirectory(directory.path, { maxBytes: 1200, maxEntries: 2 }), null);
  await assert.rejects(packDirectory(directory.path, { maxBytes: 1199 }), {
    code: "out_of_range",
    message: /1199B/,
  });
  await assert.rejects(packDirectory(directory.path, { maxEntries: 1 }), {
    code: "out_of_range",
    message: /1 entries/,
  });
});
