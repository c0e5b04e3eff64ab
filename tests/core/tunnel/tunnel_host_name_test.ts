import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { TunnelDomain } from "../../../core/tunnel/tunnel_host_name.ts";

const NAMES: readonly (readonly [host: string, name: string | null])[] = [
  ["app.t.example.org", "app"],
  ["APP.T.Example.ORG", "app"],
  ["app.t.example.org:4080", "app"],
  ["app.t.example.org:", "app"],
  ["app.t.example.org.", "app"],
  ["app.t.example.org.:4080", "app"],
  ["a-1.t.example.org", "a-1"],
  [`${"a".repeat(63)}.t.example.org`, "a".repeat(63)],
  // under the domain, but nobody's name
  ["a.b.t.example.org", ""],
  [".t.example.org", ""],
  ["-a.t.example.org", ""],
  ["a-.t.example.org", ""],
  ["a_b.t.example.org", ""],
  ["a b.t.example.org", ""],
  ["x, app.t.example.org", ""],
  ["user@app.t.example.org", ""],
  ["evil/app.t.example.org", ""],
  [`${"a".repeat(64)}.t.example.org`, ""],
  // not under it
  ["t.example.org", null],
  ["t.example.org.", null],
  ["appt.example.org", null],
  ["app.t.example.org.evil", null],
  ["app.t.example.org..", null],
  ["app.t.example.org:80:80", null],
  ["app.t.example.org, x", null],
  ["app.t.example.org/x", null],
  ["localhost", null],
  ["[::1]:4080", null],
  ["", null],
];

for (const [host, name] of NAMES) {
  Deno.test(`TunnelDomain.nameOf() of "${host.slice(0, 40)}" is ${JSON.stringify(name?.slice(0, 10) ?? null)}`, () => {
    strictEqual(new TunnelDomain("t.example.org").nameOf(host), name);
  });
}

Deno.test("TunnelDomain.urlOf() uses the broker's scheme and port unless the domain says another", () => {
  const http = { scheme: "http", port: 4080 } as const;
  const https = { scheme: "https", port: 443 } as const;
  strictEqual(new TunnelDomain("localhost").urlOf("app", http), "http://app.localhost:4080");
  strictEqual(new TunnelDomain("T.example.org").urlOf("app", https), "https://app.t.example.org");
  strictEqual(new TunnelDomain("t.example.org:80").urlOf("app", http), "http://app.t.example.org");
  strictEqual(new TunnelDomain("https://t.example.org").urlOf("app", http), "https://app.t.example.org");
  strictEqual(
    new TunnelDomain("https://t.example.org:8443").urlOf("app", http),
    "https://app.t.example.org:8443",
  );
});

for (
  const text of [
    "",
    "a b",
    "a/b",
    "-a.b",
    "a..b",
    ".a",
    "https://",
    "ftp://a",
    "a:99999",
    `${"a.".repeat(200)}b`,
  ]
) {
  Deno.test(`TunnelDomain() refuses "${text.slice(0, 20)}"`, () => {
    throws(() => new TunnelDomain(text), {
      code: "invalid_argument",
      message: /is no domain: write it like/,
    });
  });
}

Deno.test("TunnelDomain.certificateNames cover the domain and its tunnels", () => {
  const { certificateNames } = new TunnelDomain("https://T.example.org:8443");
  deepStrictEqual(certificateNames, ["t.example.org", "*.t.example.org"]);
});
