/** Tests of `wasimoff cert show`. */

import assert from "node:assert/strict";
import { certificateJson, describeCertificate, findCertificate } from "../../commands/cert_show.ts";
import { readCertificate } from "../../core/host/certificate_details.ts";
import { createEphemeralCertificate } from "../../core/host/ephemeral_certificate.ts";

const RSA = new URL("../testdata/certificates/rsa.pem", import.meta.url).pathname;
const NOW_MS = Date.UTC(2026, 0, 2);
const NEVER = new AbortController().signal;

Deno.test("cert show tells people all that matters", async () => {
  const { cert, hash } = await createEphemeralCertificate(["localhost", "::1"], NOW_MS);
  const shown = { ...readCertificate(cert), trusted: false };
  assert.equal(
    describeCertificate(shown, NOW_MS),
    [
      "names         localhost, ::1",
      "subject       O=wasimoff, CN=wasimoff broker",
      "issuer        itself",
      "valid         2026-01-01T18:00:00.000Z to 2026-01-14T18:00:00.000Z (12 days left)",
      "key           ECDSA P-256",
      `hash          ${hash}`,
      "browsers      take it by its hash, without trusting it",
      "this machine  does not trust it",
    ].join("\n"),
  );
  const day = 24 * 3_600_000;
  assert.match(describeCertificate(shown, NOW_MS - day), /\(not valid yet\)/);
  assert.match(describeCertificate(shown, NOW_MS + 12 * day), /\(less than a day left\)/);
  assert.match(describeCertificate(shown, NOW_MS + 13 * day), /\(expired\)/);
});

Deno.test("cert show tells programs the same", async () => {
  const { names, byHash, hashProblem, trusted } = certificateJson(await findCertificate(RSA, NEVER));
  assert.deepEqual({ names, byHash, hashProblem, trusted }, {
    names: ["rsa.example", "*.rsa.example", "10.0.0.1"],
    byHash: false,
    hashProblem: "its key is RSA 2048, not ECDSA P-256",
    trusted: null,
  });
});

Deno.test("cert show says what is wrong with a place", async () => {
  await assert.rejects(findCertificate("/nonexistent.pem", NEVER), {
    code: "not_found",
    message: 'read "/nonexistent.pem": there is no such file',
  });
  await assert.rejects(findCertificate("ftp://localhost", NEVER), { code: "invalid_argument" });
  await assert.rejects(findCertificate("/dev/null", NEVER), {
    code: "invalid_argument",
    message: 'read "/dev/null": there is no certificate in PEM',
  });
  await assert.rejects(findCertificate("/dev/zero", NEVER), {
    code: "invalid_argument",
    message: 'read "/dev/zero": it is too large for a certificate',
  });
});
