import { deepEqual, rejects } from "node:assert/strict";
import { readTunnelAuth } from "../../commands/tunnel_auth.ts";
import { MAX_TUNNEL_RULES } from "../../core/protocol/limits.ts";

/** Of `printf 'ada:pass word' | sha256sum`, and of `bob:a:b`. */
const ADA = "e6db2092e901dfebf0fbf4d4c265ad406afc00cc346243bd5904c14db163ffa1";
const BOB = "72c5d52f46ceef920ab2c543482ec0ff1aace95ad9a1470ed125440938a83c53";

Deno.test("readTunnelAuth() gives digests of the lines, and refuses what is no password file", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "# who may come\n\nada:pass word\r\nbob:a:b\n");
    deepEqual((await readTunnelAuth(path)).map((digest) => digest.toHex()), [ADA, BOB]);
    for (const text of ["", "# nobody\n", "ada\n", ":x\n", "ada:\n", "a:b\n".repeat(MAX_TUNNEL_RULES + 1)]) {
      await Deno.writeTextFile(path, text);
      await rejects(readTunnelAuth(path), { code: "failed_precondition" }, text.slice(0, 20));
    }
    await Deno.writeTextFile(path, "secret\nada:x\n");
    await rejects(readTunnelAuth(path), (error: Error) => !error.message.includes("secret"));
  } finally {
    await Deno.remove(path);
  }
  await rejects(readTunnelAuth(path), { code: "failed_precondition", message: /there is no such file/ });
});
