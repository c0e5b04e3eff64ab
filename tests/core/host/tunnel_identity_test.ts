import { deepEqual, equal, notEqual, rejects } from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { openTunnelIdentity } from "../../../core/host/tunnel_identity.ts";
import { verifyTunnelSignature } from "../../../core/tunnel/tunnel_key.ts";

async function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await run(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("openTunnelIdentity() makes a key for its owner only, and finds it again", () =>
  inDirectory(async (directory) => {
    const path = `${directory}/a/b/key.pem`;
    const all = await Promise.all([1, 2, 3, 4].map(() => openTunnelIdentity(path))); // as processes at once
    const text = await Deno.readTextFile(path);
    const again = await openTunnelIdentity(path);
    deepEqual(new Set([...all, again].map(({ id }) => id)).size, 1);
    equal(await Deno.readTextFile(path), text);
    equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    deepEqual([...Deno.readDirSync(`${directory}/a/b`)].map(({ name }) => name), ["key.pem"]);
    const bytes = Uint8Array.of(1, 2, 3);
    equal(await verifyTunnelSignature(again.publicKey, await again.sign(bytes), bytes), true);
    notEqual((await openTunnelIdentity(`${directory}/other.pem`)).id, again.id);
  }));

Deno.test("openTunnelIdentity() reads PKCS#8 and SEC1, which are one key", () =>
  inDirectory(async (directory) => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const ids = [];
    for (const type of ["pkcs8", "sec1"] as const) {
      const path = `${directory}/${type}.pem`;
      await Deno.writeTextFile(path, privateKey.export({ type, format: "pem" }) as string);
      ids.push((await openTunnelIdentity(path)).id);
    }
    equal(ids[0], ids[1]);
  }));

Deno.test("openTunnelIdentity() refuses anything else, and leaves it alone", () =>
  inDirectory(async (directory) => {
    const ec384 = generateKeyPairSync("ec", { namedCurve: "secp384r1" }).privateKey;
    const ed = generateKeyPairSync("ed25519").privateKey;
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const texts = [
      "",
      "nonsense",
      ec384.export({ type: "pkcs8", format: "pem" }) as string,
      ed.export({ type: "pkcs8", format: "pem" }) as string,
      publicKey.export({ type: "spki", format: "pem" }) as string,
      "-".repeat(65_537),
    ];
    for (const text of texts) {
      const path = `${directory}/key.pem`;
      await Deno.writeTextFile(path, text);
      await rejects(openTunnelIdentity(path), { code: "failed_precondition", message: /--identity/ });
      equal(await Deno.readTextFile(path), text);
    }
    await rejects(openTunnelIdentity(directory), { code: "failed_precondition" });
  }));
