import { ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { AllowedOrigins } from "../../../../core/broker/identity/origins.ts";

Deno.test("AllowedOrigins.allows() no page and our own page", () => {
  const origins = new AllowedOrigins([]);
  strictEqual(origins.allows(null, null), true);
  strictEqual(origins.allows("https://Broker.example:4080", "broker.EXAMPLE:4080"), true);
  strictEqual(origins.allows("https://broker.example", "broker.example:4080"), false);
  for (
    const origin of ["null", "", "broker.example", "https://broker.example/", "https://a@broker.example"]
  ) {
    strictEqual(origins.allows(origin, "broker.example"), false, origin);
  }
});

Deno.test("AllowedOrigins.allows() what a pattern matches, as filepath.Match does", () => {
  const cases: [pattern: string, host: string, allowed: boolean][] = [
    ["example.org", "example.org", true],
    ["example.org", "EXAMPLE.org", true],
    ["example.org", "example.org:80", false],
    ["example.org", "exampleXorg", false],
    ["*.example.org", "a.b.example.org", true],
    ["*.example.org", "example.org", false],
    ["*.example.org", "a.example.org.evil.example", false],
    ["localhost:*", "localhost:5173", true],
    ["node-?", "node-1", true],
    ["node-?", "node-12", false],
    ["node-[0-9]", "node-7", true],
    ["node-[0-9]", "node-a", false],
    ["node-[^0-9]", "node-a", true],
    ["node-[^0-9]", "node-7", false],
    ["a[\\]b]", "ab", true],
    ["a[.x]", "a.", true],
    ["\\*", "x", false],
    ["(a|b)+", "aab", false],
    ["*", "anything:1", true],
  ];
  for (const [pattern, host, allowed] of cases) {
    strictEqual(new AllowedOrigins([pattern]).allows(`https://${host}`, "b"), allowed, `${pattern} ${host}`);
  }
});

Deno.test("AllowedOrigins refuses what is no pattern", () => {
  for (const pattern of ["", "[", "a[]", "[a", "a\\", "[z-a]", "[^]"]) {
    throws(() => new AllowedOrigins([pattern]), { code: "invalid_argument" }, pattern);
  }
});

Deno.test("AllowedOrigins.allows() answers quickly whatever the Origin", () => {
  const origins = new AllowedOrigins(["*a*a*a*a*b"]);
  const begin = performance.now();
  strictEqual(origins.allows(`https://${"a".repeat(10_000)}`, "b"), false);
  ok(performance.now() - begin < 100);
  fc.assert(fc.property(fc.string(), fc.string(), (origin, host) => {
    const allowed = origins.allows(origin, host);
    return allowed === (allowed && /^https?:\/\//i.test(origin));
  }));
});
