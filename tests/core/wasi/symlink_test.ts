import assert from "node:assert/strict";
import { WasiFault } from "../../../core/wasi/fault.ts";
import { Quota } from "../../../core/wasi/quota.ts";
import { requireShort, Symlink } from "../../../core/wasi/symlink.ts";
import { Volume } from "../../../core/wasi/volume.ts";

Deno.test("Symlink gives back the bytes of its target once, and a fork gives back none", () => {
  const quota = new Quota({ maxBytes: 10, maxEntries: 10 });
  const volume = new Volume({ quota });
  const link = new Symlink(volume, 0n, "12345678");
  const fork = link.fork(volume);
  fork.unlinked();
  assert.throws(() => quota.claimBytes(3), new WasiFault(51));
  link.unlinked();
  link.unlinked();
  quota.claimBytes(10);
  assert.throws(() => quota.claimBytes(1), new WasiFault(51));
});

Deno.test("Symlink has the size of its target in bytes", () => {
  assert.equal(new Symlink(new Volume(), 0n, "größe").size, 7);
});

Deno.test("requireShort() counts bytes, and leaves room for a terminator", () => {
  requireShort("x".repeat(4095));
  requireShort("ü".repeat(2047));
  for (const path of ["x".repeat(4096), "ü".repeat(2048), "\u{1f995}".repeat(1024), "x".repeat(100_000)]) {
    assert.throws(() => requireShort(path), new WasiFault(37));
  }
});
