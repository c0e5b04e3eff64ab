import assert from "node:assert/strict";
import fc from "fast-check";
import { packArtifacts } from "../../../core/wasi/artifacts.ts";
import { File } from "../../../core/wasi/file.ts";
import { Directory, emptyDirectory, forkDirectory } from "../../../core/wasi/inode.ts";
import { ROOTFS_LIMITS, unpackZip } from "../../../core/wasi/rootfs.ts";
import { Symlink } from "../../../core/wasi/symlink.ts";
import { readZipEntries } from "../../../core/wasi/zip_entries.ts";
import { packZip } from "../../../core/wasi/zip_writer.ts";

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

/** Packs from a tree that the guest has as its working directory. */
async function pack(root: Directory, paths: readonly string[], options = ENOUGH) {
  const { zip, missing } = await packArtifacts([{ path: ".", directory: root }], paths, options);
  return { zip: zip!, missing };
}

/** Paths of everything in a ZIP, with a mark for the kind. */
async function namesIn(zip: Uint8Array): Promise<string[]> {
  const walk = (directory: Directory, prefix: string): string[] =>
    directory.list().flatMap(({ name, inode }) => {
      if (inode instanceof Directory) return [`${prefix}${name}/`, ...walk(inode, `${prefix}${name}/`)];
      return [inode instanceof Symlink ? `${prefix}${name} -> ${inode.path}` : `${prefix}${name}`];
    });
  return walk((await unpackZip(zip)).root, "");
}

Deno.test("packArtifacts() packs files, and directories with all that is in them", async () => {
  const { zip, missing } = await pack(makeTree(), ["/out", "other"], ENOUGH);
  assert.deepEqual(missing, []);
  assert.deepEqual(await namesIn(zip), [
    "out/",
    "out/one",
    "out/deep/",
    "out/deep/two",
    "out/link -> one",
    "other",
  ]);
  const other = (await unpackZip(zip)).root.lookup("other");
  assert(other instanceof File);
  assert.equal(new TextDecoder().decode(other.contents()), "x".repeat(1000));
  assert.equal(other.mtim, TIME);
});

Deno.test("packArtifacts() packs each name once, however often and in whatever way it is asked for", async () => {
  const paths = ["out/deep/two", "./out//deep/../deep/two", "/out/deep", "out/deep/"];
  const { zip, missing } = await pack(makeTree(), paths, ENOUGH);
  assert.deepEqual(missing, []);
  assert.deepEqual(await namesIn(zip), ["out/", "out/deep/", "out/deep/two"]);
});

Deno.test("packArtifacts() packs the whole root for its own path", async () => {
  const { zip } = await pack(makeTree(), ["/", "."], ENOUGH);
  assert.equal((await namesIn(zip)).length, 6);
});

Deno.test("packArtifacts() names what is missing and packs the rest", async () => {
  const { zip, missing } = await pack(
    makeTree(),
    ["none", "../up", "//etc", "out/one/x", "other", "*.gif"],
    ENOUGH,
  );
  assert.deepEqual(missing, ["none", "../up", "//etc", "out/one/x", "*.gif"]);
  assert.deepEqual(await namesIn(zip), ["other"]);
});

Deno.test("packArtifacts() refuses what is larger than its limit, and nothing that is not", async () => {
  const root = makeTree();
  const { zip } = await pack(root, ["other"], ENOUGH);
  assert.equal((await pack(root, ["other"], { maxBytes: zip.length + 100 })).zip.length, zip.length);
  await assert.rejects(pack(root, ["other"], { maxBytes: zip.length - 1 }), {
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
  await assert.rejects(pack(root, ["d"], { maxBytes: 2 ** 40 }), { code: "out_of_range" });
});

Deno.test("packArtifacts() makes no ZIP when nothing is there, and an empty one of an empty directory", async () => {
  const root = emptyDirectory();
  const preopens = [{ path: ".", directory: root }];
  assert.deepEqual(await packArtifacts(preopens, ["x", "*"], ENOUGH), { zip: null, missing: ["x", "*"] });
  assert.deepEqual(await packArtifacts([], ["x"], ENOUGH), { zip: null, missing: ["x"] });
  assert.deepEqual(await namesIn((await pack(root, ["."])).zip), []);
});

Deno.test("packArtifacts() packs from all directories, under the names that the guest has for them", async () => {
  const [rootfs, data] = [makeTree(), makeTree()];
  const preopens = [{ path: "/", directory: rootfs }, { path: "/data", directory: data }];
  const { zip, missing } = await packArtifacts(
    preopens,
    ["/data/oth*", "/out/deep", "/data/out/one"],
    ENOUGH,
  );
  assert.deepEqual(missing, []);
  assert.deepEqual(await namesIn(zip!), [
    "data/",
    "data/other",
    "data/out/",
    "data/out/one",
    "out/",
    "out/deep/",
    "out/deep/two",
  ]);
});

Deno.test("packArtifacts() lets a link give way to what was asked for through it", async () => {
  for (
    const paths of [["out/link2", "out/link2/two"], ["out/link2/two", "out"], ["out/l*", "out/link2/t*"]]
  ) {
    const root = makeTree();
    (root.lookup("out") as Directory).add("link2", new Symlink(root.volume, TIME, "deep"), TIME);
    const { zip, missing } = await pack(root, paths);
    assert.deepEqual(missing, []);
    const names = await namesIn(zip);
    assert(names.includes("out/link2/two") && !names.includes("out/link2 -> deep"), names.join());
  }
});

Deno.test("packArtifacts() keeps that a file of the rootfs may be executed", async () => {
  const packed = await packZip([
    { name: "tool", kind: "file", executable: true, mtimeMs: 0, size: 1, read: (_at, into) => into.fill(35) },
    { name: "data", kind: "file", executable: false, mtimeMs: 0, size: 0, read() {} },
  ]);
  const { root } = await unpackZip(packed);
  const fork = forkDirectory(root);
  const own = new File(fork.volume, TIME);
  fork.add("own", own, TIME);
  (fork.lookup("tool") as File).write(1, new Uint8Array(3));
  const entries = await readZipEntries((await pack(fork, ["*"])).zip, ROOTFS_LIMITS);
  assert.deepEqual(entries.map(({ name, executable, size }) => [name, executable, size]), [
    ["tool", true, 4],
    ["data", false, 0],
    ["own", false, 0],
  ]);
});

Deno.test("packArtifacts() refuses more than a ZIP can hold, and a backslash in a name", async () => {
  const root = emptyDirectory();
  const file = new File(root.volume, 0n);
  for (let index = 0; index < 65_536; index++) root.add(`${index}`, file, 0n);
  await assert.rejects(pack(root, ["*"], { maxBytes: 2 ** 40 }), {
    code: "out_of_range",
    message: "pack artifacts: there are more than 65534",
  });
  const odd = emptyDirectory();
  odd.add("a\\b", new File(odd.volume, 0n), 0n);
  await assert.rejects(pack(odd, ["."]), {
    code: "failed_precondition",
    message: 'pack artifacts: a ZIP cannot keep the backslash in "a\\\\b"',
  });
});

Deno.test("packArtifacts() and unpackZip() give back any tree with its files, links and times", async () => {
  const name = fc.constantFrom("a", "b", "c d", "é", "..x", "-", "😀");
  const seconds = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const leaf = fc.oneof(
    fc.record({ contents: fc.uint8Array({ maxLength: 40 }), seconds }),
    fc.record({ target: fc.constantFrom("a", "../b", "/etc/passwd", "é/.."), seconds }),
  );
  const { tree } = fc.letrec<{ tree: Record<string, unknown> }>((tie) => ({
    tree: fc.dictionary(
      name,
      fc.oneof({ maxDepth: 4 }, leaf, tie("tree").map((children) => ({ children }))),
      {
        maxKeys: 4,
      },
    ) as fc.Arbitrary<Record<string, unknown>>,
  }));
  await fc.assert(
    fc.asyncProperty(tree, async (tree) => {
      const root = emptyDirectory();
      grow(root, tree);
      const unpacked = await unpackZip((await pack(root, ["."])).zip);
      assert.deepEqual(describe(unpacked.root), describe(root));
      assert.deepEqual(
        describe((await unpackZip((await pack(unpacked.root, ["."])).zip)).root),
        describe(root),
      );
    }),
    { numRuns: 100 },
  );
});

function grow(directory: Directory, tree: Record<string, unknown>): void {
  for (const [name, spec] of Object.entries(tree)) {
    const { children, contents, target, seconds = 0 } = spec as {
      children?: Record<string, unknown>;
      contents?: Uint8Array;
      target?: string;
      seconds?: number;
    };
    const time = BigInt(seconds) * 1_000_000_000n;
    const inode = children !== undefined
      ? new Directory(directory.volume, time)
      : contents !== undefined
      ? File.of(directory.volume, time, contents)
      : new Symlink(directory.volume, time, target!);
    directory.add(name, inode, 0n);
    if (children !== undefined) grow(inode as Directory, children);
    inode.mtim = time;
  }
}

function describe(directory: Directory): unknown[] {
  return directory.list().map(({ name, inode }) => [
    name,
    inode.mtim,
    inode instanceof Directory
      ? describe(inode)
      : inode instanceof Symlink
      ? inode.path
      : inode instanceof File && [...inode.contents()],
  ]);
}
