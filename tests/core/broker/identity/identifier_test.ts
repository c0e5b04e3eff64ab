import { match, strictEqual, throws } from "node:assert/strict";
import { Identifier } from "../../../../core/broker/identity/identifier.ts";
import { isLocal, LOOPBACK_HOSTS } from "../../../../core/broker/identity/loopback_rule.ts";
import { generateToken, Tokens } from "../../../../core/broker/identity/tokens.ts";
import { startHash } from "../../../../core/host/hash.ts";

const knownHosts = new Set([...LOOPBACK_HOSTS, "broker.example"]);
const caller = (remoteAddress: string, headers: Record<string, string>) => ({
  remoteAddress,
  headers: new Headers(headers),
});

Deno.test("isLocal() takes programs and our own pages on this machine", () => {
  const cases: [string, Record<string, string>][] = [
    ["127.0.0.1", { host: "localhost:4080" }],
    ["127.8.9.10", { host: "LOCALHOST" }],
    ["::1", { host: "[::1]:4080" }],
    ["::ffff:127.0.0.1", { host: "127.0.0.1:4080" }],
    ["127.0.0.1", { host: "broker.example" }],
    ["127.0.0.1", { host: "localhost:4080", origin: "http://localhost:4080" }],
    ["127.0.0.1", { host: "Localhost:4080", origin: "https://LOCALHOST:4080" }],
  ];
  for (const [address, headers] of cases) {
    strictEqual(isLocal(caller(address, headers), knownHosts), true, JSON.stringify([address, headers]));
  }
});

Deno.test("isLocal() refuses other machines, proxies, rebound names and pages from elsewhere", () => {
  const local = { host: "localhost:4080" };
  const cases: [string, Record<string, string>][] = [
    ["192.0.2.1", local],
    ["10.0.0.1", { ...local, "x-forwarded-for": "127.0.0.1" }],
    ["128.0.0.1", local],
    ["::2", local],
    ["", local],
    ["localhost", local],
    ["127.0.0.1", {}],
    ["127.0.0.1", { host: "rebound.example:4080" }],
    ["127.0.0.1", { host: "localhost.rebound.example" }],
    ["127.0.0.1", { host: "localhost:4080@rebound.example" }],
    ["127.0.0.1", { host: "127.0.0.1.rebound.example" }],
    ["127.0.0.1", { ...local, origin: "null" }],
    ["127.0.0.1", { ...local, origin: "" }],
    ["127.0.0.1", { ...local, origin: "http://localhost" }],
    ["127.0.0.1", { ...local, origin: "http://localhost:3000" }],
    ["127.0.0.1", { ...local, origin: "http://localhost:4080.evil.example" }],
    ["127.0.0.1", { ...local, origin: "http://localhost:4080@evil.example" }],
    ["127.0.0.1", { ...local, origin: "http://localhost:4080/path" }],
    ["127.0.0.1", { ...local, origin: "file://localhost:4080" }],
  ];
  for (
    const name of [
      "X-Forwarded-For",
      "x-forwarded-host",
      "x-forwarded-x",
      "Forwarded",
      "Via",
      "X-Real-IP",
      "CF-Connecting-IP",
    ]
  ) cases.push(["127.0.0.1", { ...local, [name]: "" }]);
  for (const [address, headers] of cases) {
    strictEqual(isLocal(caller(address, headers), knownHosts), false, JSON.stringify([address, headers]));
  }
});

const tokens = new Tokens(["secret"], startHash);
const SECRET_IDENTITY = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
const near = caller("127.0.0.1", { host: "localhost" });
const far = caller("192.0.2.1", { host: "broker.example" });
const withToken = (token: string) =>
  caller("192.0.2.1", { host: "broker.example", authorization: `Bearer ${token}` });

Deno.test("Identifier.identify() knows tokens by their hash, also for local callers", () => {
  const identifier = new Identifier({ tokens, open: false, knownHosts, isProxy: () => false });
  strictEqual(identifier.identify(withToken("secret")), SECRET_IDENTITY);
  strictEqual(identifier.identify(far, "secret"), SECRET_IDENTITY);
  strictEqual(identifier.identify(near, "secret"), SECRET_IDENTITY);
  strictEqual(identifier.identify(near), "local");
  for (const bad of ["secre", "secrets", "Secret", "x".repeat(100_000)]) {
    throws(() => identifier.identify(withToken(bad)), { code: "unauthenticated" });
    throws(() => identifier.identify(near, bad), { code: "unauthenticated" });
  }
  throws(() => identifier.identify(far), { code: "unauthenticated" });
  throws(() => identifier.identify(far, ""), { code: "unauthenticated" });
});

Deno.test("Identifier.identify() never takes a trusted proxy for a local caller, also without forwarding header", () => {
  const isProxy = (address: string) => address === "127.0.0.1";
  const identifier = new Identifier({ tokens, open: false, knownHosts, isProxy });
  throws(() => identifier.identify(near), { code: "unauthenticated" });
  strictEqual(identifier.identify(near, "secret"), SECRET_IDENTITY);
  strictEqual(new Identifier({ tokens, open: true, knownHosts, isProxy }).identify(near), "anonymous");
});

Deno.test("Identifier.identify() ignores other schemes of authorization", () => {
  const identifier = new Identifier({ tokens, open: false, knownHosts, isProxy: () => false });
  for (
    const authorization of [
      "Basic secret",
      "secret",
      "Bearer",
      "Bearer secret, Bearer other",
      "Bearer\tsecret",
    ]
  ) {
    throws(() => identifier.identify(caller("192.0.2.1", { authorization })), { code: "unauthenticated" });
  }
});

Deno.test("Identifier.identify() lets everybody into an open broker, still by token where one is given", () => {
  const open = new Identifier({ tokens, open: true, knownHosts, isProxy: () => false });
  strictEqual(open.identify(far), "anonymous");
  strictEqual(open.identify(near), "local");
  strictEqual(open.identify(withToken("secret")), SECRET_IDENTITY);
  throws(() => open.identify(withToken("wrong")), { code: "unauthenticated" });
});

Deno.test("Identifier.identify() ignores tokens where the broker knows none", () => {
  const none = new Identifier({ tokens: null, open: false, knownHosts, isProxy: () => false });
  strictEqual(none.identify(near, "anything"), "local");
  throws(() => none.identify(withToken("anything")), { code: "unauthenticated" });
});

Deno.test("Tokens.parse() reads one token a line", () => {
  const parsed = Tokens.parse("# who\r\nsecret\r\n\n   second  \n#third", startHash);
  strictEqual(parsed.size, 2);
  strictEqual(parsed.identify("secret"), SECRET_IDENTITY);
  strictEqual(parsed.identify("second")?.length, 64);
  strictEqual(parsed.identify("#third"), null);
  strictEqual(parsed.identify(""), null);
});

Deno.test("Tokens.parse() names a bad line and never shows it", () => {
  for (const line of ["two words", "schlüssel", "a\x07b", "x".repeat(1025)]) {
    throws(() => Tokens.parse(`good\n${line}\n`, startHash), (error: Error) => {
      match(error.message, /^line 2 of the token file is no token: /);
      strictEqual(error.message.includes(line), false);
      return true;
    });
  }
  throws(() => Tokens.parse("# nothing\n\n", startHash), { code: "invalid_argument" });
});

Deno.test("generateToken() makes 160 bits from the given source", () => {
  const fill = (bytes: Uint8Array) => void bytes.fill(0xab);
  strictEqual(generateToken(fill), "ab".repeat(20));
  strictEqual(Tokens.parse(generateToken((bytes) => crypto.getRandomValues(bytes)), startHash).size, 1);
});
