/** Tests of `wasimoff cert new`. */

import assert from "node:assert/strict";
import { newCertificate, newCertificateTable, trustAdvice } from "../../commands/cert_new.ts";
import { readCertificate } from "../../core/host/certificate_details.ts";
import { silent } from "../../core/log.ts";
import { temporaryDirectory } from "./temporary_directory.ts";

const DAY_MS = 24 * 3_600_000;

Deno.test("cert new makes an authority and a certificate, with keys that only their owner may read", async () => {
  await using directory = await temporaryDirectory();
  const out = `${directory.path}/certs`;
  const made = await newCertificate({ names: ["*.LAN", "::1", "*.lan"], out, caDir: out, log: silent });
  assert.deepEqual(made, {
    cert: `${out}/wildcard.lan.pem`,
    key: `${out}/wildcard.lan-key.pem`,
    ca: `${out}/ca.pem`,
    names: ["*.lan", "::1"],
    hash: made.hash,
    until: made.until,
  });
  const leaf = readCertificate(await Deno.readTextFile(made.cert));
  assert.deepEqual(leaf.names.map((name) => name.toLowerCase()), ["*.lan", "::1"]);
  assert.equal(leaf.hash, made.hash);
  assert.equal(Math.round((leaf.notAfter.getTime() - Date.now()) / DAY_MS), 397);
  const authority = readCertificate(await Deno.readTextFile(made.ca));
  assert.equal(leaf.issuer, authority.subject);
  assert.equal(Math.round((authority.notAfter.getTime() - Date.now()) / DAY_MS), 3652);
  for (const [path, mode] of [[made.key, 0o600], [`${out}/ca-key.pem`, 0o600], [made.cert, 0o644]] as const) {
    assert.equal((await Deno.stat(path)).mode! & 0o777, mode, path);
  }
  assert.match(newCertificateTable(made), /wildcard\.lan\.pem +certificate, until 20/);
  assert.match(trustAdvice(made).join("\n"), /--cert \S+wildcard\.lan\.pem --key \S+wildcard\.lan-key\.pem/);
});

Deno.test("cert new uses the authority that is there, and writes over nothing", async () => {
  await using directory = await temporaryDirectory();
  const [out, caDir] = [`${directory.path}/out`, `${directory.path}/ca`];
  const make = (...names: string[]) => newCertificate({ names, out, caDir, log: silent });
  const first = await make("lan");
  const ca = await Deno.readTextFile(first.ca);
  const second = await make("a.lan");
  assert.equal(second.ca, first.ca);
  assert.equal(await Deno.readTextFile(first.ca), ca);
  const written = await Deno.readTextFile(first.cert);
  await assert.rejects(make("lan"), {
    code: "already_exists",
    message: `file "${out}/lan.pem" is there already: remove it, or give -o`,
  });
  assert.equal(await Deno.readTextFile(first.cert), written);
  await assert.rejects(make("other.example"), {
    code: "failed_precondition",
    message: 'the authority may not sign for "other.example": use another directory',
  });
  assert.deepEqual([...Deno.readDirSync(out)].map(({ name }) => name).sort(), [
    ...["a.lan-key.pem", "a.lan.pem", "lan-key.pem", "lan.pem"],
  ]);
});

Deno.test("cert new refuses what is no name, before it writes anything", async () => {
  await using directory = await temporaryDirectory();
  const out = `${directory.path}/out`;
  for (const name of ["", "a b", "http://lan", "[::1]", "lan:4080"]) {
    await assert.rejects(newCertificate({ names: ["lan", name], out, caDir: out, log: silent }), {
      code: "invalid_argument",
    });
  }
  assert.deepEqual([...Deno.readDirSync(directory.path)], []);
});
