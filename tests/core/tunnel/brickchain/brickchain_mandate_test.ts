import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { WasimoffError } from "../../../../core/errors.ts";
import { brickchainClientId } from "../../../../core/tunnel/brickchain/brickchain_id.ts";
import {
  CLOCK_SKEW_MS,
  signMandate,
  verifyMandate,
} from "../../../../core/tunnel/brickchain/brickchain_mandate.ts";
import { generateTunnelKey, tunnelIdentity } from "../../../../core/tunnel/tunnel_key.ts";
import { signedToken } from "../../../support/brickchain_token.ts";

const BASE = "https://proxy.example";
const NOW = Date.parse("2026-11-21T02:27:59.972Z");
const TYPE = "https://schema.brickchain.com/v2/mandate-token.json";
const checks = { isOurs: (origin: string) => origin === BASE, now: NOW };
const pair = await generateTunnelKey();
const identity = await tunnelIdentity(pair);
const payload = { "@type": TYPE, "@timestamp": new Date(NOW).toISOString(), uri: BASE, ttl: 60 };

const sign = (changes: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
  signedToken(pair, { payload: { ...payload, ...changes }, header });
const at = (offsetMs: number) => ({ "@timestamp": new Date(NOW + offsetMs).toISOString() });

async function isRefused(token: string, message: RegExp): Promise<void> {
  await rejects(verifyMandate(token, checks), (error) => {
    return error instanceof WasimoffError && error.code === "unauthenticated" && message.test(error.message);
  });
}

Deno.test("the id of the recorded key is the recorded one", async () => {
  const x = Uint8Array.fromBase64("ly0fwoV-qDjwcfyjU6Tqbjm1Ktzw3cGmsNdrT5r6Tj4", { alphabet: "base64url" });
  const y = Uint8Array.fromBase64("JamkbSzh-creOuq9d32QDpexjzTNFW36P6ci5X5yyTU", { alphabet: "base64url" });
  const id = await brickchainClientId(Uint8Array.of(4, ...x, ...y), "");
  strictEqual(id, "ypayov4c7eilxhu6zmyq4zzeerselyc7ssymxhbsqaijd3l5e72q");
});

Deno.test("a session has an id of its own, as long as that of the key", async () => {
  const [plain, one, two] = await Promise.all(
    ["", "one", "two"].map((session) => brickchainClientId(identity.publicKey, session)),
  );
  strictEqual(plain, identity.id);
  strictEqual(new Set([plain, one, two]).size, 3);
  strictEqual(one!.length, 52);
});

Deno.test("signMandate() makes what verifyMandate() takes, with exactly the fields of the stock client", async () => {
  const token = await signMandate(BASE, identity, NOW);
  deepStrictEqual((await verifyMandate(token, checks)).publicKey, identity.publicKey);
  const [header, body] = token.split(".").slice(0, 2).map((part) =>
    new TextDecoder().decode(Uint8Array.fromBase64(part, { alphabet: "base64url" }))
  );
  const { "@timestamp": timestamp, ...rest } = JSON.parse(body!);
  match(timestamp, /^2026-11-21T02:27:59\.972\d{6}Z$/);
  strictEqual(JSON.stringify(rest), JSON.stringify({ "@type": TYPE, uri: BASE, ttl: 60 }));
  const { alg, jwk } = JSON.parse(header!);
  strictEqual(alg, "ES256");
  deepStrictEqual(Object.keys(jwk), ["kty", "crv", "x", "y"]);
});

const accepted: readonly (readonly [string, Record<string, unknown>])[] = [
  ["nanoseconds, as Go writes them", { "@timestamp": "2026-11-21T02:27:59.972368212Z" }],
  ["another time zone", { "@timestamp": "2026-11-21T03:27:59+01:00" }],
  ["a clock that is a little ahead", at(CLOCK_SKEW_MS - 1)],
  ["the last moment of its life", at(-60_000)],
  ["a slash after the host", { uri: `${BASE}/` }],
  ["a path, which clients drop", { uri: `${BASE}/some/path` }],
  ["the port spelled out", { uri: `${BASE}:443` }],
];
for (const [what, changes] of accepted) {
  Deno.test(`verifyMandate() takes ${what}`, async () => {
    deepStrictEqual((await verifyMandate(await sign(changes), checks)).publicKey, identity.publicKey);
  });
}

const refused: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
  ["a token of another server", { uri: "https://other.example" }, /another server/],
  ["a host that begins like ours", { uri: `${BASE}.evil.test/x` }, /another server/],
  ["another port", { uri: `${BASE}:8443` }, /another server/],
  ["another scheme", { uri: "http://proxy.example" }, /another server/],
  ["ours as a name of a user", { uri: `${BASE}@evil.test` }, /another server/],
  ["a user at ours", { uri: "https://user@proxy.example" }, /another server/],
  ["a uri that is none", { uri: "proxy.example" }, /another server/],
  ["a uri that is a number", { uri: 5 }, /another server/],
  ["an expired one", at(-60_001), /expired/],
  ["one of an hour ago", at(-3_600_000), /expired/],
  ["one of the future", at(3_600_000), /future/],
  ["one just beyond the skew", at(CLOCK_SKEW_MS + 1), /future/],
  ["no timestamp", { "@timestamp": undefined }, /timestamp/],
  ["a timestamp that Date would take", { "@timestamp": "2026" }, /timestamp/],
  ["a timestamp that is no day", { "@timestamp": "2026-13-45T02:27:59Z" }, /timestamp/],
  ["a ttl of thirty years", { ttl: 1e9 }, /ttl/],
  ["a ttl of nothing", { ttl: 0 }, /ttl/],
  ["a negative ttl", { ttl: -60 }, /ttl/],
  ["a ttl in words", { ttl: "60" }, /ttl/],
  ["no ttl", { ttl: undefined }, /ttl/],
  ["another document", { "@type": "https://schema.brickchain.com/v2/mandate.json" }, /no mandate token/],
];
for (const [what, changes, message] of refused) {
  Deno.test(`verifyMandate() refuses ${what}`, async () => isRefused(await sign(changes), message));
}

Deno.test("verifyMandate() refuses every other algorithm, and critical fields", async () => {
  for (const alg of ["none", "HS256", "RS256", "ES384", "es256", "", undefined]) {
    await isRefused(await sign({}, { alg }), /not signed with ES256/);
  }
  await isRefused(await sign({}, { crit: ["b64"], b64: false }), /critical/);
});

Deno.test("verifyMandate() refuses keys that are none of P-256", async () => {
  const { x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const jwk = { kty: "EC", crv: "P-256", x, y };
  const bad = [
    undefined,
    null,
    "key",
    { ...jwk, crv: "P-384" },
    { ...jwk, kty: "RSA" },
    { ...jwk, x: undefined },
    { ...jwk, x: `${x}AAAA` },
    { ...jwk, y: `${y}=` },
    { ...jwk, x: ` ${x}` },
  ];
  for (const key of bad) await isRefused(await sign({}, { jwk: key }), /no P-256 key/);
  await isRefused(await sign({}, { jwk: { ...jwk, x: y, y: x } }), /signature/); // not on the curve
});

Deno.test("verifyMandate() refuses a signature of another key, a broken one and none", async () => {
  const other = await generateTunnelKey();
  const { x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const stolen = await signedToken(other, { payload, header: { jwk: { kty: "EC", crv: "P-256", x, y } } });
  await isRefused(stolen, /wrong signature/);
  const [head, body, signature] = (await sign()).split(".") as [string, string, string];
  await isRefused(`${head}.${body}.`, /wrong signature/);
  await isRefused(`${head}.${body}.${signature.slice(4)}`, /wrong signature/);
  await isRefused(`${head}.${body}.${signature}AA`, /wrong signature/);
  const longer = JSON.stringify({ ...payload, ttl: 299 });
  const changed = new TextEncoder().encode(longer).toBase64({ alphabet: "base64url", omitPadding: true });
  await isRefused(`${head}.${changed}.${signature}`, /wrong signature/);
});

Deno.test("verifyMandate() refuses garbage", async () => {
  const token = await sign();
  for (
    const text of [
      "",
      "garbage",
      "a.b.c",
      "..",
      `${token}.`,
      ` ${token}`,
      `${token}\n`,
      "x".repeat(1_000_000),
    ]
  ) {
    await isRefused(text, /^mandate token /);
  }
});

Deno.test("verifyMandate() refuses any text with an error of ours", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.string(), fc.array(fc.base64String()).map((all) => all.join("."))),
      async (text) => {
        await isRefused(text, /^mandate token /);
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("verifyMandate() tells when a token expires, and what tells it from others", async () => {
  const tokens = [await sign({ ttl: 300 }), await sign({ ttl: 299 })];
  const [one, other] = await Promise.all(tokens.map((token) => verifyMandate(token, checks)));
  strictEqual(one!.expiresAt, NOW + 300_000);
  strictEqual(one!.nonce === other!.nonce, false);
  // The other signature that is as good: s of it is the order of the curve minus s.
  const [head, body, signature] = tokens[0]!.split(".") as [string, string, string];
  const raw = Uint8Array.fromBase64(signature, { alphabet: "base64url" });
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const s = order - BigInt(`0x${raw.subarray(32).toHex()}`);
  raw.set(Uint8Array.fromHex(s.toString(16).padStart(64, "0")), 32);
  const twin = `${head}.${body}.${raw.toBase64({ alphabet: "base64url", omitPadding: true })}`;
  strictEqual((await verifyMandate(twin, checks)).nonce, one!.nonce);
});
