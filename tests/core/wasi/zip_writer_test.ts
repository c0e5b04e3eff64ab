/** Tests of the ZIPs that we write, read by another program's eyes. */

import assert from "node:assert/strict";
import { Uint8ArrayReader, Uint8ArrayWriter, ZipReader } from "@zip.js/zip.js";
import fc from "fast-check";
import { ROOTFS_LIMITS } from "../../../core/wasi/rootfs.ts";
import { readZipEntries } from "../../../core/wasi/zip_entries.ts";
import { packZip, ZIP_MAX_ITEMS, type ZipItem, zipItemBytes } from "../../../core/wasi/zip_writer.ts";

function item(name: string, contents: Uint8Array, rest: Partial<ZipItem> = {}): ZipItem {
  const read = (at: number, into: Uint8Array) => into.set(contents.subarray(at, at + into.length));
  return { name, kind: "file", executable: false, mtimeMs: 0, size: contents.length, read, ...rest };
}

async function unpack(zip: Uint8Array) {
  const reader = new ZipReader(new Uint8ArrayReader(zip), { useWebWorkers: false, checkCrc32: true });
  const entries = await reader.getEntries();
  const contents = await Promise.all(
    entries.map((entry) => entry.directory ? null : entry.getData(new Uint8ArrayWriter())),
  );
  await reader.close();
  return entries.map(({ filename, unixMode = 0, lastModDate }, index) => ({
    ...{ filename, mode: unixMode.toString(8), time: lastModDate.getTime(), contents: contents[index] },
  }));
}

Deno.test("packZip() writes what other programs read", async () => {
  const text = new TextEncoder().encode("content");
  const mtimeMs = Date.UTC(2024, 1, 3, 4, 5, 7);
  const zip = await packZip([
    item("dir", new Uint8Array(), { kind: "directory", mtimeMs }),
    item("dir/é", text, { mtimeMs: mtimeMs + 999 }),
    item("dir/run", text, { executable: true, mtimeMs: -1000 }),
    item("link", text, { kind: "link", mtimeMs }),
  ]);
  assert.deepEqual(await unpack(zip), [
    { filename: "dir/", mode: "40755", time: mtimeMs, contents: null },
    { filename: "dir/é", mode: "100644", time: mtimeMs, contents: text },
    { filename: "dir/run", mode: "100755", time: -1000, contents: text },
    { filename: "link", mode: "120777", time: mtimeMs, contents: text },
  ]);
});

Deno.test("packZip() keeps any contents", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array(), { maxLength: 5 }), async (all) => {
      const zip = await packZip(all.map((contents, index) => item(`${index}`, contents)));
      assert.deepEqual((await unpack(zip)).map(({ contents }) => contents), all);
    }),
    { numRuns: 30 },
  );
});

Deno.test("packZip() writes no time where there is none, and one within its years for any other", async () => {
  const zip = await packZip([
    item("none", new Uint8Array(), { mtimeMs: null }),
    item("late", new Uint8Array(), { mtimeMs: Date.UTC(2500, 0) }),
    item("early", new Uint8Array(), { mtimeMs: -1e13 }),
  ]);
  const years = (await unpack(zip)).map(({ time }) => new Date(time).getFullYear());
  assert.deepEqual(years, [1980, 2107, 1980]);
});

Deno.test("packZip() and readZipEntries() have the same times in every time zone", async () => {
  const mtimeMs = Date.UTC(2024, 6, 3, 4, 5, 6);
  const items = [
    item("exact", new Uint8Array(), { mtimeMs }),
    item("none", new Uint8Array(), { mtimeMs: null }),
  ];
  const here = await packZip(items);
  try {
    for (const zone of ["America/New_York", "Asia/Kolkata"]) {
      Deno.env.set("TZ", zone);
      assert.notEqual(new Date(mtimeMs).getTimezoneOffset(), 0);
      assert.deepEqual(await packZip(items), here);
      const entries = await readZipEntries(here, ROOTFS_LIMITS);
      assert.deepEqual(entries.map(({ mtimeMs }) => mtimeMs), [mtimeMs, Date.UTC(1980, 0, 1)]);
    }
  } finally {
    Deno.env.delete("TZ");
  }
});

Deno.test("zipItemBytes() is never less than an item takes", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(300),
      fc.string({ minLength: 1 }),
      fc.constantFrom("file", "directory"),
      async (size, name, kind) => {
        const contents = new Uint8Array(kind === "file" ? size : 0);
        const zip = await packZip([item(name, contents, { kind: kind as "file" })]);
        const most = 22 + zipItemBytes(new TextEncoder().encode(name).length, contents.length);
        assert(zip.length <= most && zip.length >= most - 2, `${zip.length} ${most}`);
      },
    ),
  );
});

Deno.test("packZip() refuses more than the format holds", async () => {
  const one = item("x", new Uint8Array());
  await assert.rejects(packZip(Array(ZIP_MAX_ITEMS + 1).fill(one)), RangeError);
});
