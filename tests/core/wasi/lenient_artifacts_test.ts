import { deepEqual, equal, rejects } from "node:assert/strict";
import { File } from "../../../core/wasi/file.ts";
import { Directory, emptyDirectory } from "../../../core/wasi/inode.ts";
import { packLenientArtifacts } from "../../../core/wasi/lenient_artifacts.ts";
import { unpackZip } from "../../../core/wasi/rootfs.ts";
import { Symlink } from "../../../core/wasi/symlink.ts";

const ENOUGH = { maxBytes: 10_000 };

/** file (5 bytes), dir/inner, link -> file, loop -> loop. */
function makeTree(): Directory {
  const root = emptyDirectory();
  const file = (text: string) => File.of(root.volume, 0n, new TextEncoder().encode(text));
  const dir = new Directory(root.volume, 0n);
  root.add("file", file("12345"), 0n);
  root.add("dir", dir, 0n);
  dir.add("inner", file("i"), 0n);
  root.add("link", new Symlink(root.volume, 0n, "file"), 0n);
  root.add("loop", new Symlink(root.volume, 0n, "loop"), 0n);
  return root;
}

async function packed(paths: readonly string[]): Promise<string[]> {
  const zip = await packLenientArtifacts([{ path: "/", directory: makeTree() }], paths, ENOUGH);
  const walk = (directory: Directory, prefix: string): string[] =>
    directory.list().flatMap(({ name, inode }) =>
      inode instanceof Directory
        ? [`${prefix}${name}/`, ...walk(inode, `${prefix}${name}/`)]
        : [`${prefix}${name}=${new TextDecoder().decode((inode as File).contents())}`]
    );
  return walk((await unpackZip(zip)).root, "");
}

Deno.test("packLenientArtifacts() returns files under the names they were asked by", async () => {
  deepEqual(await packed(["file", "/dir/inner", "link"]), [
    "file=12345",
    "dir/",
    "dir/inner=i",
    "link=12345",
  ]);
});

Deno.test("packLenientArtifacts() returns empty directories for directories and for what is missing", async () => {
  deepEqual(await packed(["dir", "missing/deep", "*", "loop"]), [
    "dir/",
    "missing/",
    "missing/deep/",
    "*/",
    "loop/",
  ]);
});

Deno.test("packLenientArtifacts() leaves out what climbs, the root, and what came before", async () => {
  deepEqual(await packed(["../file", "dir/../../x", "/", "", "file", "/file"]), ["file=12345"]);
});

Deno.test("packLenientArtifacts() returns a ZIP without entries when nothing is left", async () => {
  equal((await packLenientArtifacts([], ["/"], ENOUGH)).toHex(), "504b0506" + "00".repeat(18));
});

Deno.test("packLenientArtifacts() throws for more bytes than are allowed", async () => {
  await rejects(packLenientArtifacts([{ path: "/", directory: makeTree() }], ["file"], { maxBytes: 30 }), {
    code: "out_of_range",
  });
});
