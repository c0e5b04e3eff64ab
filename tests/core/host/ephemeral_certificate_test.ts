import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { readCertificate } from "../../../core/host/certificate_details.ts";
import { alternativeNames, createEphemeralCertificate } from "../../../core/host/ephemeral_certificate.ts";

Deno.test("alternativeNames() keeps DNS names and addresses, each once", () => {
  const names = [
    "localhost",
    "127.0.0.1",
    "localhost",
    "::1",
    "*.lan",
    "",
    "a b",
    "192.168.1.300",
    "fe80::1%eth0",
    "[::1]",
    "ü.de",
  ];
  deepStrictEqual(alternativeNames([...names, "-x", "x.".repeat(127) + "x", "A-1.example"]), [
    { type: "dns", value: "localhost" },
    { type: "ip", value: "127.0.0.1" },
    { type: "ip", value: "::1" },
    { type: "dns", value: "*.lan" },
    { type: "dns", value: "A-1.example" },
  ]);
});

Deno.test("an ephemeral certificate is valid for less than 14 days, and already some hours before it was made", async () => {
  const nowMs = Date.UTC(2026, 10, 21);
  const { cert, createdMs, notAfterMs } = await createEphemeralCertificate(["localhost"], nowMs);
  const { notBefore, notAfter } = readCertificate(cert);
  strictEqual(createdMs, nowMs);
  strictEqual(nowMs - notBefore.getTime(), 6 * 3_600_000);
  strictEqual(notAfter.getTime() - notBefore.getTime(), 13 * 24 * 3_600_000);
  strictEqual(notAfterMs, notAfter.getTime());
});

Deno.test("no two ephemeral certificates are the same", async () => {
  const made = await Promise.all([1, 2, 3].map(() => createEphemeralCertificate(["localhost"], 0)));
  strictEqual(new Set(made.map(({ hash }) => hash)).size, 3);
  strictEqual(new Set(made.map(({ key }) => key)).size, 3);
});
