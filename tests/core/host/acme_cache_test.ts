import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { AcmeCache } from "../../../core/host/acme_cache.ts";
import { createEphemeralCertificate } from "../../../core/host/ephemeral_certificate.ts";

Deno.test("AcmeCache keeps the account's key, and certificates with theirs, for its owner only", async () => {
  const parent = await Deno.makeTempDir();
  const directory = `${parent}/a/b`;
  const empty = await AcmeCache.open(directory);
  deepStrictEqual([await empty.accountKey(), await empty.certificate("a.example")], [null, null]);
  const { cert, key } = await createEphemeralCertificate(["a.example"], 0);
  await empty.keepAccountKey(key);
  await empty.keepCertificate("a.example", { cert: cert + cert, key });
  await empty.keepCertificate("a.example", { cert, key });
  const cache = await AcmeCache.open(directory);
  strictEqual(await cache.accountKey(), key);
  deepStrictEqual(await cache.certificate("a.example"), { cert, key });
  strictEqual(await cache.certificate("b.example"), null);
  strictEqual((await Deno.stat(directory)).mode! & 0o777, 0o700);
  const names = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
  deepStrictEqual(names, ["a.example.pem", "account-key.pem"]);
  for (const name of names) strictEqual((await Deno.stat(`${directory}/${name}`)).mode! & 0o777, 0o600);
  await Deno.writeTextFile(`${directory}/a.example.pem`, "damaged");
  strictEqual(await cache.certificate("a.example"), null);
  await Deno.remove(parent, { recursive: true });
});

Deno.test("a cache where no directory can be is refused", async () => {
  await rejects(AcmeCache.open("/dev/null/cache"), { code: "failed_precondition" });
});
