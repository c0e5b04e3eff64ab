import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { readCertificate } from "../../../core/host/certificate_details.ts";
import { CertificateFiles } from "../../../core/host/certificate_files.ts";
import { createEphemeralCertificate } from "../../../core/host/ephemeral_certificate.ts";
import type { Credentials } from "../../../core/host/http_server.ts";
import { Logger, silent } from "../../../core/log.ts";
import { waitUntil } from "../../support/open_server.ts";

const make = (name: string) => createEphemeralCertificate([name], Date.now());

/** Files in a directory of their own, and what is logged about them. */
async function openFiles(credentials: Credentials, pollMs: number) {
  const directory = await Deno.makeTempDir();
  const paths = { certPath: `${directory}/cert.pem`, keyPath: `${directory}/key.pem` };
  await Deno.writeTextFile(paths.certPath, credentials.cert);
  await Deno.writeTextFile(paths.keyPath, credentials.key);
  const lines: string[] = [];
  const logger = new Logger((level, message) => void lines.push(`${level}: ${message}`));
  const source = await CertificateFiles.open({ ...paths, logger, pollMs });
  const served: Credentials[] = [];
  source.onChange((changed) => served.push(changed));
  const dispose = async () => {
    await source.close();
    await Deno.remove(directory, { recursive: true });
  };
  return { ...paths, source, served, lines, [Symbol.asyncDispose]: dispose };
}

Deno.test("a changed pair of files is served without being told to", async () => {
  const [old, fresh] = await Promise.all([make("old.example"), make("new.example")]);
  await using files = await openFiles(old, 5);
  deepStrictEqual(files.source.names, ["old.example"]);
  deepStrictEqual(files.source.hashes, []);
  // As a renewal does it: one after the other, and each at once.
  await Deno.writeTextFile(`${files.keyPath}.new`, fresh.key);
  await Deno.rename(`${files.keyPath}.new`, files.keyPath);
  await waitUntil(() => files.lines.length === 1);
  match(files.lines[0]!, /^warn: the certificate stays as it is: read ".*key.pem": the key is not that of/);
  strictEqual(files.source.credentials.cert, old.cert);
  await Deno.writeTextFile(`${files.certPath}.new`, fresh.cert);
  await Deno.rename(`${files.certPath}.new`, files.certPath);
  await waitUntil(() => files.served.length === 1);
  deepStrictEqual(files.served, [{ cert: fresh.cert, key: fresh.key }]);
  deepStrictEqual(files.source.names, ["new.example"]);
  strictEqual(files.lines[1], "info: serving the certificate as read anew");
});

Deno.test("reload() reads at once, and keeps the old pair when the files are gone or broken", async () => {
  const [old, fresh] = await Promise.all([make("old.example"), make("new.example")]);
  await using files = await openFiles(old, 60_000);
  await Deno.writeTextFile(files.certPath, "not a certificate");
  await files.source.reload();
  await Deno.remove(files.certPath);
  await files.source.reload();
  deepStrictEqual(files.lines, [
    `warn: the certificate stays as it is: read "${files.certPath}": there is no certificate in PEM`,
    `warn: the certificate stays as it is: read "${files.certPath}": there is no such file`,
  ]);
  await Deno.writeTextFile(files.certPath, fresh.cert);
  await Deno.writeTextFile(files.keyPath, fresh.key);
  await files.source.reload();
  strictEqual(readCertificate(files.source.credentials.cert).hash, fresh.hash);
});

Deno.test("files that cannot be used at the start are an error that names them", async () => {
  const directory = await Deno.makeTempDir();
  const [certPath, keyPath] = [`${directory}/cert.pem`, `${directory}/key.pem`];
  const open = () => CertificateFiles.open({ certPath, keyPath, logger: silent });
  const refused = (message: string) => rejects(open, { code: "failed_precondition", message });
  await refused(`read "${certPath}": there is no such file`);
  const [one, other] = await Promise.all([make("a"), make("b")]);
  await Deno.writeTextFile(certPath, one.cert);
  await Deno.writeTextFile(keyPath, other.key);
  await refused(`read "${keyPath}": the key is not that of the certificate`);
  await Deno.writeTextFile(keyPath, new Uint8Array(1024 * 1024 + 1).fill(65).toString());
  await refused(`read "${keyPath}": it is too large for a certificate or key`);
  await Deno.remove(directory, { recursive: true });
});

Deno.test("an expired certificate is served with a warning", async () => {
  const expired = await createEphemeralCertificate(["a"], 0);
  await using files = await openFiles(expired, 60_000);
  deepStrictEqual(files.lines, [`warn: the certificate in "${files.certPath}" has expired`]);
});

Deno.test("a certificate of the future is served with a warning", async () => {
  await using files = await openFiles(await createEphemeralCertificate(["a"], 7_258_118_400_000), 60_000);
  deepStrictEqual(files.lines, [`warn: the certificate in "${files.certPath}" is not valid yet`]);
});

Deno.test("certificate and key may be in one file, with other things", async () => {
  const { cert, key } = await make("a.example");
  const all =
    `some text\n${key}${cert}-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n`;
  await using files = await openFiles({ cert: all, key: all }, 60_000);
  deepStrictEqual(files.source.credentials, { cert, key });
});
