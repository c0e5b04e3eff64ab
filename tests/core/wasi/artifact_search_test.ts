/** Tests of finding artifacts by path and by pattern. */

import assert from "node:assert/strict";
import { locateArtifact } from "../../../core/wasi/artifact_path.ts";
import { checkArtifactPaths, findArtifacts, MAX_ARTIFACT_PATHS } from "../../../core/wasi/artifact_search.ts";
import { File } from "../../../core/wasi/file.ts";
import { MatchBudget } from "../../../core/wasi/glob.ts";
import { Directory, emptyDirectory } from "../../../core/wasi/inode.ts";
import { Symlink } from "../../../core/wasi/symlink.ts";

/** Makes files, directories (with a slash at the end) and links (`name -> target`). */
function makeTree(paths: readonly string[]): Directory {
  const root = emptyDirectory();
  for (const path of paths) {
    const [plain = "", target] = path.split(" -> ");
    const names = plain.split("/").filter((name) => name !== "");
    const last = plain.endsWith("/") ? "" : names.pop()!;
    let directory = root;
    for (const name of names) {
      if (directory.lookup(name) === undefined) directory.add(name, new Directory(root.volume, 0n), 0n);
      directory = directory.lookup(name) as Directory;
    }
    if (last === "") continue;
    const inode = target === undefined ? new File(root.volume, 0n) : new Symlink(root.volume, 0n, target);
    directory.add(last, inode, 0n);
  }
  return root;
}

function find(root: Directory, path: string, steps = 100_000): string[] {
  const place = locateArtifact([{ path: ".", directory: root }], path);
  return findArtifacts(place!, new MatchBudget(steps)).map(({ name }) => name);
}

const TREE = makeTree([
  "a.txt",
  "b.txt",
  ".hidden.txt",
  "out/c.txt",
  "out/deep/d.txt",
  "out/deep/e.log",
  "out/.cache/f.txt",
  "latest -> out/deep",
  "loop -> .",
  "x[1].txt",
  "x1.txt",
  "empty/",
]);

Deno.test("findArtifacts() finds what a pattern matches, in the order of the directories", () => {
  const cases: [pattern: string, names: string[]][] = [
    ["*.txt", ["a.txt", "b.txt", "x[1].txt", "x1.txt"]],
    ["/[ab].txt", ["a.txt", "b.txt"]],
    ["?.txt", ["a.txt", "b.txt"]],
    [".*.txt", [".hidden.txt"]],
    ["out/*", ["out/c.txt", "out/deep"]],
    ["*/*/*.log", ["out/deep/e.log"]],
    ["o*/deep", ["out/deep"]],
    ["**/*.txt", ["a.txt", "b.txt", "x[1].txt", "x1.txt", "out/c.txt", "out/deep/d.txt"]],
    ["**/**/**/d*", ["out/deep"]],
    ["**/**/**/d.*", ["out/deep/d.txt"]],
    ["out/**/e.log", ["out/deep/e.log"]],
    ["out/**/c.txt", ["out/c.txt"]],
    ["out/**", ["out"]],
    ["out/.*/*", ["out/.cache/f.txt"]],
    ["*/", ["out", "empty"]],
    ["no*", []],
    ["a.txt/*", []],
    ["out/*/*/*", []],
  ];
  for (const [pattern, names] of cases) assert.deepEqual(find(TREE, pattern).sort(), names.sort(), pattern);
  assert.deepEqual(find(TREE, "**"), [""]);
});

Deno.test("findArtifacts() takes a name that is there for itself, not for a pattern", () => {
  assert.deepEqual(find(TREE, "x[1].txt"), ["x[1].txt"]);
  assert.deepEqual(find(TREE, "x[[]1].txt"), ["x[1].txt"]);
  assert.deepEqual(find(TREE, "x[12].txt"), ["x1.txt"]);
});

Deno.test("findArtifacts() goes through links that are named, not through those that a wildcard matches", () => {
  assert.deepEqual(find(TREE, "latest"), ["latest"]);
  assert.deepEqual(find(TREE, "latest/d.txt"), ["latest/d.txt"]);
  assert.deepEqual(find(TREE, "latest/*.log"), ["latest/e.log"]);
  assert.deepEqual(find(TREE, "loop/loop/a*"), ["loop/loop/a.txt"]);
  assert.deepEqual(find(TREE, "l*/d.txt"), []);
  assert.deepEqual(find(TREE, "l*"), ["latest", "loop"]);
  const up = makeTree(["l -> ..", "abs -> /etc", "self -> self"]);
  for (const path of ["l/*", "abs/*", "self/*", "l/x"]) assert.deepEqual(find(up, path), [], path);
});

Deno.test("findArtifacts() finds nothing for a path that leads to nothing", () => {
  for (const path of ["none", "a.txt/", "a.txt/x", "n".repeat(300), "a\0b"]) {
    assert.deepEqual(find(TREE, path), [], path);
  }
});

Deno.test("findArtifacts() looks at each directory once, however many ** there are", () => {
  const deep = makeTree([`${"d/".repeat(200)}end`]);
  const parts = 200 + 1;
  const pattern = `${"**/d/".repeat(20)}**/*nd`;
  // 41 parts at most are due in each directory.
  assert.equal(find(deep, pattern, parts * 41 * 4).length, 1);
  const wide = makeTree(Array.from({ length: 1000 }, (_, index) => `w/${index}`));
  assert.deepEqual(find(wide, "**/**/**/*9999*", 20_000), []);
});

Deno.test("findArtifacts() gives up when a pattern takes too long", () => {
  const wide = makeTree(Array.from({ length: 100 }, (_, index) => `${"a".repeat(100)}${index}`));
  assert.throws(() => find(wide, "*a*a*a*a*a*b", 5_000), { code: "out_of_range" });
});

Deno.test("checkArtifactPaths() bounds the number and the length of patterns", () => {
  checkArtifactPaths(Array(MAX_ARTIFACT_PATHS).fill("x"));
  checkArtifactPaths(["x".repeat(4096)]);
  assert.throws(() => checkArtifactPaths(Array(MAX_ARTIFACT_PATHS + 1).fill("x")), {
    code: "failed_precondition",
  });
  assert.throws(() => checkArtifactPaths(["x".repeat(4097)]), { code: "failed_precondition" });
});
