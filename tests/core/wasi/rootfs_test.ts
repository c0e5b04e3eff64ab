import assert from "node:assert/strict";
import fc from "fast-check";
import { WasimoffError } from "../../../core/errors.ts";
import { File } from "../../../core/wasi/file.ts";
import { Directory, type Inode } from "../../../core/wasi/inode.ts";
import { type Rootfs, ROOTFS_LIMITS, unpackZip } from "../../../core/wasi/rootfs.ts";
import { Symlink } from "../../../core/wasi/symlink.ts";
import { deflate, type ZipItem, zipOf } from "./zip_bytes.ts";

const text = (value: string) => new TextEncoder().encode(value);

/** A tree as text, one line for each inode. */
function show(directory: Directory, prefix = ""): string[] {
  return directory.list().flatMap(({ name, inode }) => [
    `${prefix}${name}${describe(inode)}`,
    ...(inode instanceof Directory ? show(inode, `${prefix}${name}/`) : []),
  ]);
}

function describe(inode: Inode): string {
  if (inode instanceof File) return ` = ${new TextDecoder().decode(inode.contents())}`;
  return inode instanceof Symlink ? ` -> ${inode.path}` : "/";
}

async function rejects(items: readonly ZipItem[], message: RegExp, limits = ROOTFS_LIMITS): Promise<void> {
  await assert.rejects(unpackZip(zipOf(items), limits), (error) => {
    assert(error instanceof WasimoffError, String(error));
    assert.equal(error.code, "invalid_argument");
    assert.match(error.message, message);
    assert(error.message.startsWith("unpack ZIP: "), error.message);
    return true;
  });
}

Deno.test("unpackZip() makes files, directories and links, also those only named in a path", async () => {
  const long = text("compressed ".repeat(1000));
  const { root, entries, contentBytes } = await unpackZip(zipOf([
    { name: "bin/", mode: 0o040755 },
    { name: "bin/tool", contents: text("#!") },
    { name: "./a//deep/é", contents: text("x") },
    { name: "link", contents: text("bin/tool"), mode: 0o120777 },
    { name: "empty" },
    { name: "long", contents: long, packed: await deflate(long) },
  ]));
  assert.deepEqual([entries, contentBytes], [8, 2 + 1 + 8 + 11_000]);
  assert.deepEqual(show(root), [
    "bin/",
    "bin/tool = #!",
    "a/",
    "a/deep/",
    "a/deep/é = x",
    "link -> bin/tool",
    "empty = ",
    `long = ${new TextDecoder().decode(long)}`,
  ]);
  const time = BigInt(Date.UTC(2024, 1, 3, 4, 5, 6)) * 1_000_000n;
  assert.deepEqual([root.lookup("bin")!.mtim, root.lookup("empty")!.mtim], [time, time]);
});

Deno.test("unpackZip() makes an empty directory of an empty ZIP", async () => {
  assert.deepEqual(show((await unpackZip(zipOf([]))).root), []);
});

Deno.test("unpackZip() refuses names that are no plain paths", async () => {
  await rejects([{ name: "/etc/passwd" }], /"\/etc\/passwd" has an absolute name/);
  await rejects([{ name: "../up" }], /"\.\.\/up" leads out/);
  await rejects([{ name: "a/../../up" }], /leads out/);
  await rejects([{ name: "a\\b" }], /has a backslash/);
  await rejects([{ name: "..\\up" }], /has a backslash/);
  await rejects([{ name: "nul\0l" }], /NUL/);
  await rejects([{ name: new Uint8Array([0x61, 0xff]) }], /not valid UTF-8/);
  await rejects([{ name: "n".repeat(256) }], /too long/);
  await rejects([{ name: "d/".repeat(2100) + "x" }], /too long/);
  await rejects([{ name: "d/".repeat(10_000) + "x" }], /too long/);
});

Deno.test("unpackZip() refuses entries in each other's place", async () => {
  await rejects([{ name: "a" }, { name: "a" }], /"a" is there twice/);
  await rejects([{ name: "a" }, { name: "./a" }], /"\.\/a" is there twice/);
  await rejects([{ name: "a" }, { name: "a/b" }], /"a\/b" lies below a file/);
  await rejects([{ name: "a/b" }, { name: "a" }], /"a" is there twice/);
  // A file behind a link would end up wherever the link leads.
  await rejects(
    [{ name: "l", contents: text(".."), mode: 0o120777 }, { name: "l/x" }],
    /"l\/x" lies below a file/,
  );
});

Deno.test("unpackZip() refuses encrypted entries and links without a target", async () => {
  await rejects([{ name: "secret", contents: text("x"), flags: 1 }], /"secret" is encrypted/);
  await rejects([{ name: "l", mode: 0o120777 }], /"l" has a target of 0 bytes/);
});

Deno.test("unpackZip() holds to its limits before it unpacks anything", async () => {
  const small = { maxEntries: 3, maxBytes: 100, maxRatio: 200 };
  await rejects([{ name: "a" }, { name: "b" }, { name: "c" }, { name: "d" }], /more than 3 entries/, small);
  await rejects([{ name: "a/b/c/d" }], /more than 3 files and directories/, small);
  await rejects([{ name: "a", contents: new Uint8Array(101) }], /more than 100 bytes/, small);
  const declared = { name: "bomb", contents: text("x"), packed: text("x"), declaredBytes: 900_000_000 };
  await rejects([declared], /more than 200 times/);
});

Deno.test("unpackZip() lets small files of zeros pass whatever their ratio", async () => {
  const zeros = new Uint8Array(1024 * 1024);
  const { root } = await unpackZip(zipOf([{ name: "zeros", contents: zeros, packed: await deflate(zeros) }]));
  assert.equal(root.lookup("zeros")!.size, 1024 * 1024);
});

Deno.test("unpackZip() stops at an entry that is larger or smaller than it says", async () => {
  const contents = text("twenty bytes of text");
  const packed = await deflate(contents);
  await rejects([{ name: "liar", contents, packed, declaredBytes: 5 }], /entry "liar"/);
  await rejects([{ name: "liar", contents, packed, declaredBytes: 50 }], /entry "liar"/);
});

Deno.test("unpackZip() answers any bytes with a tree or a refusal", async () => {
  const good = zipOf([{ name: "a/b", contents: text("hello") }, { name: "c", contents: text("world") }]);
  const change = fc.record({ at: fc.nat(good.length - 1), to: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 1, maxLength: 4 }),
      fc.nat(good.length),
      async (changes, end) => {
        const bytes = good.slice(0, end % 3 === 0 ? end : good.length);
        for (const { at, to } of changes) bytes[at % Math.max(1, bytes.length)] = to;
        try {
          const { root }: Rootfs = await unpackZip(bytes);
          assert(root instanceof Directory);
        } catch (error) {
          assert(error instanceof WasimoffError && error.code === "invalid_argument", String(error));
        }
      },
    ),
    { numRuns: 60 },
  );
});
