import assert from "node:assert/strict";
import { packArtifacts } from "../../../core/wasi/artifacts.ts";
import { File } from "../../../core/wasi/file.ts";
import { Directory, emptyDirectory } from "../../../core/wasi/inode.ts";
import { unpackZip } from "../../../core/wasi/rootfs.ts";
import { Symlink } from "../../../core/wasi/symlink.ts";

const ENOUGH = { maxBytes: 1_000_000 };
/** 2024-02-03T04:05:06Z. */
const TIME = 1_706_933_106_000_000_000n;

/** out/one, out/deep/two, out/link -> one, other. */
function makeTree(): Directory {
  const root = emptyDirectory();
  const add = (parent: Directory, name: string, contents: string) =>
    parent.add(name, File.of(root.volume, TIME, new TextEncoder().encode(contents)), TIME);
  const out = new Directory(root.volume, TIME);
  const deep = new Directory(root.volume, TIME);
  root.add("out", out, TIME);
  add(out, "one", "1");
  out.add("deep", deep, TIME);
  add(deep, "two", "22");
  out.add("link", new Symlink(root.volume, TIME, "one"), TIME);
  add(root, "other", "x".repeat(1000));
  return root;
}

/** Paths of everything in a ZIP, with a mark for the kind. */
async function namesIn(zip: Uint8Array): Promise<string[]> {
  const walk = (directory: Directory, prefix: string): string[] =>
    directory.list().flatMap(({ name, inode }) => {
      if (inode instanceof Directory) return [`${prefix}${name}/`, ...walk(inode, `${prefix}${name}/`)];
      return [inode instanceof Symlink ? `${prefix}${name} -> ${inode.path}` : `${prefix}${name}`];
    });
  return walk(await unpackZip(zip), "");
}

Deno.test("packArtifacts() packs files, and directories with all that is in them", async () => {
  const { zip, missing } = await packArtifacts(makeTree(), ["/out", "other"], ENOUGH);
  assert.deepEqual(missing, []);
  assert.deepEqual(await namesIn(zip), [
    "out/",
    "out/one",
    "out/deep/",
    "out/deep/two",
    "out/link -> one",
    "other",
  ]);
  const other = (await unpackZip(zip)).lookup("other");
  assert(other instanceof File);
  assert.equal(new TextDecoder().decode(other.contents()), "x".repeat(1000));
  assert.equal(other.mtim, TIME);
});

Deno.test("packArtifacts() packs each name once, however often and in whatever way it is asked for", async () => {
  const paths = ["out/deep/two", "./out//deep/../deep/two", "/out/deep", "out/deep/"];
  const { zip, missing } = await packArtifacts(makeTree(), paths, ENOUGH);
  assert.deepEqual(missing, []);
  assert.deepEqual(await namesIn(zip), ["out/", "out/deep/", "out/deep/two"]);
});

Deno.test("packArtifacts() packs the whole root for its own path", async () => {
  const { zip } = await packArtifacts(makeTree(), ["/", "."], ENOUGH);
  assert.equal((await namesIn(zip)).length, 6);
});

Deno.test("packArtifacts() names what is missing and packs the rest", async () => {
  const { zip, missing } = await packArtifacts(
    makeTree(),
    ["none", "../up", "//etc", "out/one/x", "other"],
    ENOUGH,
  );
  assert.deepEqual(missing, ["none", "../up", "//etc", "out/one/x"]);
  assert.deepEqual(await namesIn(zip), ["other"]);
});

Deno.test("packArtifacts() refuses what is larger than its limit, and nothing that is not", async () => {
  const root = makeTree();
  const { zip } = await packArtifacts(root, ["other"], ENOUGH);
  assert((await packArtifacts(root, ["other"], { maxBytes: zip.length + 100 })).zip.length === zip.length);
  await assert.rejects(packArtifacts(root, ["other"], { maxBytes: zip.length - 1 }), {
    code: "out_of_range",
    message: `pack artifacts: they are larger than ${zip.length - 1} bytes, the limit for artifacts`,
  });
});

Deno.test("packArtifacts() refuses paths that are nested without end", async () => {
  const root = emptyDirectory();
  let inner = root;
  for (let depth = 0; depth < 3000; depth++) {
    const next = new Directory(root.volume, 0n);
    inner.add("d", next, 0n);
    inner = next;
  }
  await assert.rejects(packArtifacts(root, ["d"], { maxBytes: 2 ** 40 }), { code: "out_of_range" });
});
