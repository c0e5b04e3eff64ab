import assert from "node:assert/strict";
import fc from "fast-check";
import { WasiFault } from "../../../core/wasi/fault.ts";
import { File } from "../../../core/wasi/file.ts";
import { Directory, emptyDirectory } from "../../../core/wasi/inode.ts";
import { findPlace, type Follow, resolvePath } from "../../../core/wasi/path.ts";
import { Symlink } from "../../../core/wasi/symlink.ts";

/** dir/file, dir/sub, and links: soft -> dir, out -> ../x, far -> dir/../../x, self -> self, gone -> none. */
function makeTree(): Directory {
  const root = emptyDirectory();
  const dir = new Directory(root.volume, 0n);
  root.add("dir", dir, 0n);
  dir.add("file", new File(root.volume, 0n), 0n);
  dir.add("sub", new Directory(root.volume, 0n), 0n);
  const links = {
    soft: "dir",
    out: "../x",
    far: "dir/../../x",
    self: "self",
    gone: "none",
    up: "dir/sub/..",
  };
  for (const [name, target] of Object.entries(links)) {
    root.add(name, new Symlink(root.volume, 0n, target), 0n);
  }
  return root;
}

function resolve(path: string, follow: Follow = "before slash") {
  return resolvePath(makeTree(), path, follow);
}

Deno.test("resolvePath() finds files through dots, doubled slashes and links", () => {
  for (
    const path of ["dir/file", "./dir//file", "dir/sub/../file", "soft/file", "soft/../dir/file", "up/file"]
  ) {
    const place = resolve(path);
    assert(place.inode instanceof File, path);
    assert.equal(place.name, "file");
  }
});

Deno.test("resolvePath() never leaves the directory it starts from", () => {
  for (
    const path of ["/", "/dir", "..", "../x", "dir/../..", "dir/../../x", "out", "out/y", "far", "soft/../.."]
  ) {
    assert.throws(() => resolve(path, "always"), new WasiFault(76), path);
  }
});

Deno.test("resolvePath() fails as POSIX says", () => {
  const failures: [string, number][] = [
    ["", 44],
    ["none/x", 44],
    ["dir/file/x", 54],
    ["dir/file/", 54],
    ["dir/file/..", 54],
    ["self/x", 32],
    ["a\0b", 28],
    ["n".repeat(256), 37],
    ["ü".repeat(128), 37],
    ["x/".repeat(2049), 37],
  ];
  for (const [path, errno] of failures) assert.throws(() => resolve(path), new WasiFault(errno), path);
  assert.throws(() => resolve("self", "always"), new WasiFault(32));
});

Deno.test("resolvePath() takes names of up to 255 bytes", () => {
  assert.equal(resolve("n".repeat(255)).inode, undefined);
  assert.equal(resolve("ü".repeat(127)).inode, undefined);
});

Deno.test("resolvePath() follows a link at the end only when it is told to, or before a slash", () => {
  assert(resolve("soft").inode instanceof Symlink);
  assert(resolve("soft", "always").inode instanceof Directory);
  assert(resolve("soft/").inode instanceof Directory);
  assert.throws(() => resolve("soft/", "never"), new WasiFault(54));
  const gone = resolve("gone", "always");
  assert.deepEqual([gone.name, gone.inode], ["none", undefined]);
});

Deno.test("findPlace() follows a link for what makes files, unless a slash comes after it", () => {
  assert(findPlace(makeTree(), "soft", "unless slash").inode instanceof Directory);
  const place = findPlace(makeTree(), "soft/", "unless slash");
  assert(place.inode instanceof Symlink);
  assert.equal(place.slash, true);
});

Deno.test("resolvePath() gives the dots as the name of what ends in them, and the directory as its own parent", () => {
  const names: [string, string][] = [[".", "."], ["dir/.", "."], ["dir/..", ".."], ["./", "."], [
    "dir/sub/../.",
    ".",
  ]];
  for (const [path, name] of names) {
    const place = resolve(path);
    assert.equal(place.name, name, path);
    assert.equal(place.parent, place.inode, path);
  }
});

Deno.test("findPlace() leaves a slash after a file to the caller, resolvePath() does not", () => {
  const place = findPlace(makeTree(), "dir/file/", "never");
  assert(place.inode instanceof File);
  assert.equal(place.slash, true);
  assert.throws(() => resolve("dir/file/"), new WasiFault(54));
});

Deno.test("resolvePath() takes paths of up to 4095 bytes, and names of up to 255 anywhere in them", () => {
  const longest = `${"./".repeat(2045)}dir/s`;
  assert.equal(longest.length, 4095);
  assert.equal(resolve(longest).inode, undefined);
  assert.throws(() => resolve(`./${longest}`), new WasiFault(37));
  // 2048 characters, 4096 bytes.
  assert.throws(() => resolve("ü/".repeat(1365) + "x"), new WasiFault(37));
  assert.throws(() => resolve(`${"n".repeat(256)}/x`), new WasiFault(37));
});

Deno.test("resolvePath() ends with a place or a fault inside the tree for any path", () => {
  const part = fc.constantFrom(
    "dir",
    "file",
    "sub",
    "soft",
    "out",
    "far",
    "self",
    "gone",
    "up",
    ".",
    "..",
    "",
  );
  const follow = fc.constantFrom<Follow>("always", "before slash", "unless slash", "never");
  fc.assert(fc.property(fc.array(part, { maxLength: 12 }), follow, (parts, how) => {
    const root = makeTree();
    try {
      let above: Directory | null = resolvePath(root, parts.join("/"), how).parent;
      while (above.parent !== null) above = above.parent;
      assert.equal(above, root);
    } catch (error) {
      assert(error instanceof WasiFault);
    }
  }));
});
