/** Tests of which directory a path of an artifact is about. */

import assert from "node:assert/strict";
import { locateArtifact } from "../../../core/wasi/artifact_path.ts";
import { emptyDirectory } from "../../../core/wasi/inode.ts";

/** Index of the directory and the rest of the path; "none" for nowhere. */
function locate(preopens: readonly string[], path: string): string {
  const opened = preopens.map((path) => ({ path, directory: emptyDirectory() }));
  const found = locateArtifact(opened, path);
  if (found === null) return "none";
  const index = opened.findIndex(({ directory }) => directory === found.root);
  return `${index} ${[...found.prefix, "|", ...found.parts].join("/")}${found.slash ? "/" : ""}`;
}

Deno.test("locateArtifact() takes the directory with the longest path", () => {
  const preopens = ["/", "/data", "/data/deep", "work"];
  const cases: [path: string, found: string][] = [
    ["/etc/x", "0 |/etc/x"],
    ["/data/x", "1 data/|/x"],
    ["/data/", "1 data/|/"],
    ["/data/deep/x", "2 data/deep/|/x"],
    ["/data/deeper", "1 data/|/deeper"],
    ["/database", "0 |/database"],
    ["/", "0 |/"],
    ["work/x", "3 work/|/x"],
    ["/work/x", "3 work/|/x"],
    ["data/x", "1 data/|/x"],
    ["x", "0 |/x"],
    ["./data//deep/../x", "1 data/|/x"],
  ];
  for (const [path, found] of cases) assert.equal(locate(preopens, path), found, path);
});

Deno.test("locateArtifact() takes relative paths from . or else from the first directory", () => {
  assert.equal(locate(["/a", "."], "x"), "1 |/x");
  assert.equal(locate(["/", "."], "x"), "1 |/x");
  assert.equal(locate(["/", "."], "/x"), "0 |/x");
  assert.equal(locate(["/data"], "x/y"), "0 |/x/y");
  assert.equal(locate(["/data"], "."), "0 |");
  assert.equal(locate(["."], "/x"), "0 |/x");
});

Deno.test("locateArtifact() knows directories that lie above", () => {
  assert.equal(locate(["../up"], "../up/x"), "0 up/|/x");
  assert.equal(locate(["."], "../x"), "none");
  assert.equal(locate(["."], "a/../../x"), "none");
  assert.equal(locate(["/"], "/../x"), "none");
});

Deno.test("locateArtifact() finds nothing where there is no directory for a path", () => {
  assert.equal(locate([], "x"), "none");
  assert.equal(locate(["/data"], "/x"), "none");
  assert.equal(locate(["."], ""), "none");
});
