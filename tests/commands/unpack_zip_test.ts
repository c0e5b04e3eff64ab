/** Tests of unpacking ZIPs of others: what is hostile in them must do nothing. */

import assert from "node:assert/strict";
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { packDirectory } from "../../commands/pack_directory.ts";
import { unpackZip } from "../../commands/unpack_zip.ts";
import { temporaryDirectory } from "./temporary_directory.ts";

const LINK_MODE = 0o120777;

async function zipOf(entries: Record<string, string | { link: string }>): Promise<Uint8Array> {
  const zip = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false, level: 0 });
  for (const [name, content] of Object.entries(entries)) {
    const text = typeof content === "string" ? content : content.link;
    const directory = name.endsWith("/");
    const reader = directory ? undefined : new Uint8ArrayReader(new TextEncoder().encode(text));
    await zip.add(name, reader, {
      directory,
      ...(typeof content === "string" ? {} : { unixMode: LINK_MODE }),
    });
  }
  return await zip.close();
}

const noLinks = { onSkippedLink: (name: string) => assert.fail(`skipped ${name}`) };

async function names(path: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(path), (entry) => entry.name)).sort();
}

Deno.test("unpackZip() brings back what packDirectory() packed", async () => {
  await using from = await temporaryDirectory();
  await using to = await temporaryDirectory();
  await Deno.mkdir(`${from.path}/sub/empty`, { recursive: true });
  await Deno.writeTextFile(`${from.path}/sub/a`, "one");
  await Deno.symlink("sub/a", `${from.path}/link`);
  await Deno.symlink("../../link", `${from.path}/sub/empty/up`);
  await Deno.writeTextFile(`${from.path}/${"n".repeat(255)}`, "as long as names can be");
  const zip = (await packDirectory(from.path))!;
  await unpackZip(zip, `${to.path}/new/deep`, noLinks);
  assert.deepEqual(await packDirectory(`${to.path}/new/deep`), zip);
});

Deno.test("unpackZip() replaces files and keeps what else is there", async () => {
  await using to = await temporaryDirectory();
  await Deno.mkdir(`${to.path}/sub`);
  await Deno.writeTextFile(`${to.path}/sub/a`, "old");
  await Deno.writeTextFile(`${to.path}/sub/b`, "kept");
  await unpackZip(await zipOf({ "sub/": "", "sub/a": "new" }), to.path, noLinks);
  assert.equal(await Deno.readTextFile(`${to.path}/sub/a`), "new");
  assert.deepEqual(await names(`${to.path}/sub`), ["a", "b"]);
});

Deno.test("unpackZip() writes nothing at all when one name leads out", async () => {
  for (const name of ["../escaped", "/escaped", "a/../../escaped", "a\\..\\escaped", "a\0b"]) {
    await using to = await temporaryDirectory();
    const target = `${to.path}/in`;
    await assert.rejects(unpackZip(await zipOf({ good: "x", [name]: "evil" }), target, noLinks), {
      code: "invalid_argument",
    }, name);
    assert.deepEqual(await names(to.path), [], name);
  }
});

Deno.test("unpackZip() does not follow a link that is already there, neither as directory nor as file", async () => {
  await using outside = await temporaryDirectory();
  await using to = await temporaryDirectory();
  await Deno.writeTextFile(`${outside.path}/precious`, "safe");
  await Deno.symlink(outside.path, `${to.path}/dir`);
  await Deno.symlink(`${outside.path}/precious`, `${to.path}/file`);
  await assert.rejects(unpackZip(await zipOf({ "dir/precious": "evil" }), to.path, noLinks), {
    code: "failed_precondition",
    message: `unpack: "${to.path}/dir" is in the way of a directory: move it away`,
  });
  await unpackZip(await zipOf({ file: "mine" }), to.path, noLinks);
  assert.equal(await Deno.readTextFile(`${outside.path}/precious`), "safe");
  assert.equal((await Deno.lstat(`${to.path}/file`)).isSymlink, false);
});

Deno.test("unpackZip() does not write through a link from the same ZIP", async () => {
  await using outside = await temporaryDirectory();
  await using to = await temporaryDirectory();
  const skipped: string[] = [];
  const zip = await zipOf({ evil: { link: outside.path }, up: { link: "sub/../.." }, "evil/x": "evil" });
  await unpackZip(zip, to.path, { onSkippedLink: (name, target) => skipped.push(`${name} -> ${target}`) });
  assert.deepEqual(skipped, [`evil -> ${outside.path}`, "up -> sub/../.."]);
  assert.deepEqual(await names(outside.path), []);
  assert.equal((await Deno.lstat(`${to.path}/evil`)).isDirectory, true);
  const inner = await zipOf({ "a/": "", l: { link: "a" }, "l/x": "through" });
  await assert.rejects(unpackZip(inner, to.path, noLinks), { code: "failed_precondition" });
});

Deno.test("unpackZip() writes no file that is another one, whatever comes first in the ZIP", async () => {
  await using to = await temporaryDirectory();
  await assert.rejects(unpackZip(await zipOf({ a: "file", "a/b": "below" }), to.path, noLinks), {
    code: "failed_precondition",
  });
  await assert.rejects(unpackZip(await zipOf({ "d/x": "", d: "file" }), `${to.path}/2`, noLinks), {
    code: "unknown",
  });
  assert.equal((await Deno.lstat(`${to.path}/2/d`)).isDirectory, true);
});

Deno.test("unpackZip() makes no more directories than sensible, however long the names are", async () => {
  await using to = await temporaryDirectory();
  const target = `${to.path}/in`;
  const zip = await zipOf(Object.fromEntries(["a", "b", "c"].map((name) => [`${name}/`.repeat(100), ""])));
  await assert.rejects(unpackZip(zip, target, { ...noLinks, maxEntries: 299 }), { code: "out_of_range" });
  assert.deepEqual(await names(to.path), []);
  await unpackZip(zip, target, { ...noLinks, maxEntries: 300 });
  assert.deepEqual(await names(target), ["a", "b", "c"]);
});

Deno.test("unpackZip() keeps that a file may be executed, and no other mode", async () => {
  await using to = await temporaryDirectory();
  const zip = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false });
  const content = () => new Uint8ArrayReader(new Uint8Array(1));
  await zip.add("run", content(), { unixMode: 0o106755 });
  await zip.add("data", content(), { unixMode: 0o100666 });
  await unpackZip(await zip.close(), to.path, noLinks);
  const mode = async (name: string) => (await Deno.stat(`${to.path}/${name}`)).mode! & 0o7100;
  assert.deepEqual([await mode("run"), await mode("data")], [0o100, 0]);
});

Deno.test("unpackZip() ends at its limits before it writes", async () => {
  await using to = await temporaryDirectory();
  const zip = await zipOf({ a: "12345", b: "12345" });
  const target = `${to.path}/in`;
  await assert.rejects(unpackZip(zip, target, { ...noLinks, maxBytes: 9 }), { code: "invalid_argument" });
  await assert.rejects(unpackZip(zip, target, { ...noLinks, maxEntries: 1 }), { code: "invalid_argument" });
  assert.deepEqual(await names(to.path), []);
});

Deno.test("unpackZip() says that bytes are no ZIP", async () => {
  await using to = await temporaryDirectory();
  await assert.rejects(unpackZip(new TextEncoder().encode("no zip"), to.path, noLinks), {
    code: "invalid_argument",
    message: "unpack ZIP: File format is not recognized",
  });
});
