/** Tests of names from ZIPs of others. */

import assert from "node:assert/strict";
import { isDownward, safePath } from "../../commands/safe_path.ts";

Deno.test("safePath() splits names that stay below", () => {
  assert.deepEqual(safePath("a"), ["a"]);
  assert.deepEqual(safePath("a/b c/..d/"), ["a", "b c", "..d"]);
});

Deno.test("safePath() refuses names that could lead out", () => {
  for (
    const name of [
      "",
      "/",
      "/etc/passwd",
      "..",
      "../x",
      "a/../../x",
      "a/..",
      "./a",
      "a//b",
      "a\\..\\b",
      "a\0b",
      "//x",
    ]
  ) {
    assert.throws(
      () => safePath(name),
      { code: "permission_denied", message: /leads out of the directory/ },
      name,
    );
  }
});

Deno.test("isDownward() allows only targets that no chain of links can lead out", () => {
  for (const target of ["a", "a/b", "./a", "..a"]) assert.equal(isDownward(target), true, target);
  for (const target of ["", "/", "/etc", "..", "../a", "a/../..", "a/..", "a\0"]) {
    assert.equal(isDownward(target), false, target);
  }
});
