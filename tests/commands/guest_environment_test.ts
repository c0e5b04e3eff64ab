/** Tests of the guest's environment. */

import assert from "node:assert/strict";
import { guestEnvironment, parseEnvFile, readEnvFile } from "../../commands/guest_environment.ts";

Deno.test("guestEnvironment() lets the last one win, and takes a key alone from here", () => {
  const variable = (name: string) => name === "HOME" ? "/here" : undefined;
  assert.deepEqual(guestEnvironment(["A=1", "B=2"], ["A=x=y", "HOME", "MISSING", "C="], variable), [
    "B=2",
    "A=x=y",
    "HOME=/here",
    "C=",
  ]);
});

Deno.test("guestEnvironment() refuses an entry without a key", () => {
  for (const entry of ["=x", "", "A=\0"]) {
    assert.throws(() => guestEnvironment([], [entry], () => undefined), { code: "invalid_argument" });
  }
});

Deno.test("parseEnvFile() skips blank lines and comments and keeps values as written", () => {
  const text = '# comment\nA=1\r\n\n  B="quoted" # kept\nC\n';
  assert.deepEqual(parseEnvFile(text, "f"), ["A=1", 'B="quoted" # kept', "C"]);
});

Deno.test("parseEnvFile() names the line that is wrong", () => {
  assert.throws(() => parseEnvFile("A=1\nexport B=2", "f"), {
    code: "invalid_argument",
    message: 'env file "f", line 2: "export B=2" is no variable: write KEY=VALUE',
  });
});

Deno.test("readEnvFile() names a file that is not there", async () => {
  await assert.rejects(readEnvFile("/nonexistent/env"), {
    code: "not_found",
    message: 'read env file "/nonexistent/env": there is no such file',
  });
});
