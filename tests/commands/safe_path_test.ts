/** Tests of names from ZIPs of others. */

import assert from "node:assert/strict";
import { safePath, staysBelow } from "../../commands/safe_path.ts";

Deno.test("safePath() splits names that stay below", () => {
  assert.deepEqual(safePath("a"), ["a"]);
  assert.deepEqual(safePath("a/b c/..d/"), ["a", "b c", "..d"]);
  assert.deepEqual(safePath("./a//b/."), ["a", "b"]);
});

Deno.test("safePath() refuses names that could lead out", () => {
  for (const name of ["/", "/etc/passwd", "..", "../x", "a/../../x", "a/..", "a\\..\\b", "//x"]) {
    assert.throws(() => safePath(name), { code: "invalid_argument", message: /^unpack ZIP: entry / }, name);
  }
});

Deno.test("safePath() refuses on Windows what is no file there", () => {
  for (
    const name of [
      "C:evil",
      "file:stream",
      "dir/NUL",
      "con.txt",
      "Aux /x",
      "COM1",
      "lpt\u00b9.log",
      "a./b",
      "a ",
      "a*",
      "a\nb",
      "CONIN$",
    ]
  ) {
    assert.throws(
      () => safePath(name, "windows"),
      { message: /^unpack ZIP: Windows cannot have a file / },
      name,
    );
    assert.notDeepEqual(safePath(name, "linux"), []);
  }
  for (const name of ["console", "nullify.txt", "a.b", "com", "com10", "é"]) {
    assert.deepEqual(safePath(name, "windows"), [name]);
  }
});

Deno.test("staysBelow() allows only targets that no chain of links can lead out", () => {
  for (const target of ["a", "a/b", "./a", "..a"]) assert.equal(staysBelow(target, 0), true, target);
  for (const target of ["..", "../a", "./..//a/b", "../../a"]) {
    assert.equal(staysBelow(target, 2), true, target);
  }
  for (const target of ["", "/", "/etc", "..", "../a", "a/../..", "a/..", "a\0"]) {
    assert.equal(staysBelow(target, 0), false, target);
  }
  for (const target of ["../../../a", "../a/..", "a/../..", "/a"]) {
    assert.equal(staysBelow(target, 2), false, target);
  }
  for (const target of ["C:\\Windows", "c:x", "a\\..\\..", "\\\\server\\share"]) {
    assert.equal(staysBelow(target, 9, "windows"), false, target);
  }
});
