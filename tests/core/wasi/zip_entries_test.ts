/** Tests of reading the entries of ZIPs that were made to harm, or by other programs. */

import assert from "node:assert/strict";
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import fc from "fast-check";
import { WasimoffError } from "../../../core/errors.ts";
import { ROOTFS_LIMITS, unpackZip } from "../../../core/wasi/rootfs.ts";
import { unpackEntries } from "../../../core/wasi/zip_contents.ts";
import { readZipEntries } from "../../../core/wasi/zip_entries.ts";
import { deflate, type ZipItem, zipOf } from "./zip_bytes.ts";

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const text = (value: string) => new TextEncoder().encode(value);

function read(zip: Uint8Array) {
  return readZipEntries(zip, ROOTFS_LIMITS);
}

async function refuses(zip: Uint8Array, message: RegExp): Promise<void> {
  await assert.rejects(readAll(zip), (error) => {
    assert(error instanceof WasimoffError && error.code === "invalid_argument", String(error));
    assert.match(error.message, message);
    return true;
  });
}

/** Also what is only found while unpacking. */
async function readAll(zip: Uint8Array): Promise<void> {
  await Array.fromAsync(unpackEntries(zip, await read(zip)));
}

/** Where the records with a signature start. */
function find(zip: Uint8Array, signature: number): number[] {
  const view = new DataView(zip.buffer, zip.byteOffset);
  const found: number[] = [];
  for (let at = 0; at + 4 <= zip.length; at++) if (view.getUint32(at, true) === signature) found.push(at);
  return found;
}

/** The ZIP with a number of 16 or 32 bits changed in the n-th record of a kind. */
function edited(
  items: readonly ZipItem[],
  edits: readonly [signature: number, n: number, at: number, value: number, bytes: 2 | 4][],
) {
  const zip = zipOf(items);
  const view = new DataView(zip.buffer);
  for (const [signature, n, at, value, bytes] of edits) {
    const start = find(zip, signature)[n]! + at;
    if (bytes === 2) view.setUint16(start, value, true);
    else view.setUint32(start, value, true);
  }
  return zip;
}

const A = { name: "a", contents: text("aaaa") };
const B = { name: "b", contents: text("bbbb") };

Deno.test("unpackEntries() refuses entries that share contents", async () => {
  const same = edited([A, { ...A, name: "b" }], [[CENTRAL, 1, 42, 0, 4]]);
  await refuses(same, /entry "a" shares its place with another one/);
  // The second local header lies within the contents of the first entry.
  const inner = zipOf([B]).slice(0, 35);
  const nested = edited([{ name: "a", contents: inner }, B], [[CENTRAL, 1, 42, 31, 4]]);
  await refuses(nested, /entry "a" shares its place with another one/);
});

Deno.test("readZipEntries() refuses a list that contradicts itself", async () => {
  await refuses(zipOf([A, A]), /entry "a" is there twice/);
  await refuses(edited([A, B], [[CENTRAL, 0, 46, 0x62, 2]]), /Central directory header not found/);
  await refuses(edited([A], [[CENTRAL, 0, 0, 1, 4]]), /Central directory header not found/);
  await refuses(edited([A, B], [[END, 0, 10, 3, 2]]), /Central directory header not found/);
  await refuses(edited([A, B], [[END, 0, 10, 1, 2]]), /Ambiguous archive: trailing central directory data/);
  await refuses(edited([A], [[CENTRAL, 0, 28, 60_000, 2]]), /Ambiguous archive: trailing central directory/);
  await refuses(edited([A], [[END, 0, 12, 20, 4]]), /Ambiguous archive: trailing central directory data/);
});

Deno.test("unpackEntries() refuses an entry that contradicts the list", async () => {
  const sizes = /entry "a": Ambiguous archive: mismatched local file header \(crc32 or sizes\)/;
  const name = /entry "ab": Ambiguous archive: mismatched local file header \(filename\)/;
  await refuses(edited([{ ...A, name: "ab" }], [[LOCAL, 0, 30, 0x6363, 2]]), name);
  await refuses(edited([A, B], [[CENTRAL, 1, 42, 36, 4]]), /entry "b": Local file header not found/);
  await refuses(edited([A, B], [[CENTRAL, 1, 42, 0xfffffff0, 4]]), /entry "b": Local file header not found/);
  await refuses(edited([A], [[CENTRAL, 0, 24, 5, 4]]), sizes);
  await refuses(edited([A], [[CENTRAL, 0, 24, 5, 4], [LOCAL, 0, 22, 5, 4]]), /Invalid uncompressed size/);
  const beyond = edited([A], [20, 24].flatMap((at) => [[CENTRAL, 0, at, 99, 4], [LOCAL, 0, at - 2, 99, 4]]));
  await refuses(beyond, /entry "a": Entry data out of bounds/);
});

Deno.test("readZipEntries() refuses what it cannot unpack, and says which entry", async () => {
  await refuses(edited([A], [[CENTRAL, 0, 10, 12, 2]]), /entry "a" is packed by method 12: use deflate/);
  await refuses(edited([A], [[END, 0, 4, 1, 2]]), /Split zip file/);
  await refuses(zipOf([{ ...A, flags: 1 }]), /entry "a" is encrypted/);
  for (const mode of [0o010644, 0o020644, 0o060644, 0o140644]) {
    await refuses(zipOf([{ ...A, mode }]), /entry "a" is neither a file nor a directory nor a link/);
  }
  await refuses(zipOf([{ name: "d/", contents: text("x"), mode: 0o040755 }]), /directory "d\/" has contents/);
  await refuses(zipOf([{ name: "./", mode: 0o040755 }, { name: "." }]), /entry "\." has no name/);
});

Deno.test("readZipEntries() refuses a ZIP that is cut off anywhere, or has something before it", async () => {
  const zip = zipOf([A, B]);
  for (let end = 0; end < zip.length; end++) {
    await refuses(zip.slice(0, end), /File format is not recognized|End of central directory not found/);
  }
  await refuses(new Uint8Array([0, ...zip]), /Ambiguous archive: prepended data/);
  await refuses(new Uint8Array(100_000), /End of central directory not found/);
});

Deno.test("readZipEntries() finds the end of a ZIP before a comment, also one that looks like an end", async () => {
  const zip = edited([A], [[END, 0, 20, 30, 2]]);
  const comment = new Uint8Array(30);
  new DataView(comment.buffer).setUint32(2, END, true);
  assert.deepEqual((await read(new Uint8Array([...zip, ...comment]))).map(({ name }) => name), ["a"]);
});

Deno.test("readZipEntries() reads the 64-bit end, and refuses one that is wrong", async () => {
  const zip = zipOf([A]);
  const end = find(zip, END)[0]!;
  const make = (entries: bigint, locator: bigint) => {
    const tail = new Uint8Array(56 + 20);
    const view = new DataView(tail.buffer);
    view.setUint32(0, 0x06064b50, true);
    view.setBigUint64(32, entries, true);
    view.setBigUint64(40, BigInt(end - find(zip, CENTRAL)[0]!), true);
    view.setBigUint64(48, BigInt(find(zip, CENTRAL)[0]!), true);
    view.setUint32(56, 0x07064b50, true);
    view.setBigUint64(64, locator, true);
    const old = zip.slice(end);
    new DataView(old.buffer).setUint16(10, 0xffff, true);
    return new Uint8Array([...zip.subarray(0, end), ...tail, ...old]);
  };
  assert.deepEqual((await read(make(1n, BigInt(end)))).map(({ name }) => name), ["a"]);
  await refuses(make(65_537n, BigInt(end)), /Central directory header not found/);
  await refuses(make(2n ** 63n, BigInt(end)), /64-bit value exceeds/);
  await refuses(make(1n, 2n ** 64n - 1n), /64-bit value exceeds/);
});

Deno.test("unpackZip() checks contents by their checksum", async () => {
  const packed = await deflate(text("aaaa"));
  for (const item of [A, { ...A, packed }]) {
    const zip = edited([item], [[CENTRAL, 0, 16, 1, 4], [LOCAL, 0, 14, 1, 4]]);
    await assert.rejects(unpackZip(zip), { message: 'unpack ZIP: entry "a": Invalid CRC32' });
  }
  await assert.rejects(unpackZip(zipOf([{ ...A, packed: text("no deflate at all") }])), {
    message: /^unpack ZIP: entry "a": /,
  });
  await assert.rejects(unpackZip(zipOf([{ ...A, packed: new Uint8Array() }])), { message: /entry "a"/ });
});

Deno.test("unpackZip() refuses links whose targets would fill the memory", async () => {
  const bomb = Array.from({ length: 20 }, (_, index) => ({
    name: `l${index}`,
    contents: text("x".repeat(4096)),
    mode: 0o120777,
  }));
  const limits = { ...ROOTFS_LIMITS, maxEntries: 300 };
  await assert.rejects(unpackZip(zipOf(bomb), limits), { message: /more than 300 files and directories/ });
  await assert.rejects(unpackZip(zipOf([{ name: "l", contents: text("x".repeat(4097)), mode: 0o120777 }])), {
    message: /"l" has a target of 4097 bytes/,
  });
  const odd = { name: "l", contents: new Uint8Array([0xff]), mode: 0o120777 };
  await assert.rejects(unpackZip(zipOf([odd])), {
    message: /target of symbolic link "l" is not valid UTF-8/,
  });
});

Deno.test("unpackZip() stops a small ZIP that becomes gigabytes before it has them", async () => {
  const zeros = await deflate(new Uint8Array(30 * 1024 * 1024));
  const liar = { name: "bomb", contents: text(""), packed: zeros, declaredBytes: 1_000_000 };
  await assert.rejects(unpackZip(zipOf([liar])), { message: /entry "bomb": Invalid uncompressed size/ });
});

Deno.test("readZipEntries() reads what another program writes, whatever its options", async () => {
  const file = fc.record({
    contents: fc.uint8Array({ maxLength: 300 }),
    level: fc.constantFrom(0, 6),
    zip64: fc.boolean(),
    dataDescriptor: fc.boolean(),
    seconds: fc.integer({ min: 315_532_800, max: 2_000_000_000 }),
    executable: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(file, { maxLength: 5 }),
      fc.string({ maxLength: 10 }),
      async (files, comment) => {
        const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false });
        for (const [index, { contents, seconds, executable, ...options }] of files.entries()) {
          const unixMode = executable ? 0o100755 : 0o100644;
          const lastModDate = new Date(seconds * 1000);
          await writer.add(`ä/${index}`, new Uint8ArrayReader(contents), {
            ...options,
            unixMode,
            lastModDate,
          });
        }
        const zip = await writer.close(text(comment));
        const entries = await read(zip);
        assert.deepEqual(
          entries.map(({ name, size, executable, mtimeMs }) => [name, size, executable, mtimeMs]),
          files.map((
            file,
            index,
          ) => [`ä/${index}`, file.contents.length, file.executable, file.seconds * 1000]),
        );
        assert.equal(
          (await unpackZip(zip)).contentBytes,
          files.reduce((sum, { contents }) => sum + contents.length, 0),
        );
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("readZipEntries() reads the times of Windows, and unpacks an empty file", async () => {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false, ntfsTimestamp: true });
  const lastModDate = new Date(Date.UTC(1970, 0, 1) - 2 ** 31 * 1000 - 1000);
  await writer.add("old", new Uint8ArrayReader(new Uint8Array()), { lastModDate });
  const zip = await writer.close();
  const [[entry, contents] = []] = await Array.fromAsync(unpackEntries(zip, await read(zip)));
  assert.equal(entry!.mtimeMs, lastModDate.getTime());
  assert.deepEqual(contents, new Uint8Array());
});
