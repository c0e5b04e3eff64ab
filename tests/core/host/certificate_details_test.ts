import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { checkPair, readCertificate } from "../../../core/host/certificate_details.ts";
import { createEphemeralCertificate } from "../../../core/host/ephemeral_certificate.ts";

const RSA = Deno.readTextFileSync(new URL("../../testdata/certificates/rsa.pem", import.meta.url));
const NOW_MS = Date.UTC(2026, 0, 2);

Deno.test("readCertificate() tells names, dates, hash and key of the first certificate", async () => {
  const ephemeral = await createEphemeralCertificate(
    ["localhost", "127.0.0.1", "::1", "my_host.lan"],
    NOW_MS,
  );
  const details = readCertificate(ephemeral.cert + RSA);
  deepStrictEqual(details, {
    names: ["localhost", "127.0.0.1", "::1", "my_host.lan"],
    subject: "O=wasimoff, CN=wasimoff broker",
    issuer: "O=wasimoff, CN=wasimoff broker",
    selfSigned: true,
    notBefore: new Date("2026-01-01T18:00:00Z"),
    notAfter: new Date("2026-01-14T18:00:00Z"),
    hash: ephemeral.hash,
    key: "ECDSA P-256",
    hashProblem: null,
  });
  const der = Uint8Array.fromBase64(ephemeral.cert.replace(/-----[^-]+-----|\s/g, ""));
  strictEqual(new Uint8Array(await crypto.subtle.digest("SHA-256", der)).toHex(), ephemeral.hash);
});

Deno.test("readCertificate() says why browsers do not take a certificate by hash", async () => {
  const rsa = readCertificate(RSA);
  deepStrictEqual(rsa.names, ["rsa.example", "*.rsa.example", "10.0.0.1"]);
  strictEqual(rsa.key, "RSA 2048");
  strictEqual(rsa.hashProblem, "its key is RSA 2048, not ECDSA P-256");
  const { cert } = await createEphemeralCertificate(["localhost"], NOW_MS);
  strictEqual(readCertificate(cert).hashProblem, null);
});

Deno.test("readCertificate() refuses text without a certificate", () => {
  for (const text of ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]) {
    throws(() => readCertificate(text), {
      code: "invalid_argument",
      message: "there is no certificate in PEM",
    });
  }
});

Deno.test("checkPair() refuses a key of another certificate, and what is no key", async () => {
  const [one, other] = await Promise.all([
    createEphemeralCertificate(["localhost"], NOW_MS),
    createEphemeralCertificate(["localhost"], NOW_MS),
  ]);
  checkPair(one);
  throws(() => checkPair({ cert: one.cert, key: other.key }), {
    code: "failed_precondition",
    message: "the key is not that of the certificate",
  });
  throws(() => checkPair({ cert: one.cert, key: "secret" }), {
    code: "failed_precondition",
    message: "the key is no private key in PEM without a password",
  });
});
