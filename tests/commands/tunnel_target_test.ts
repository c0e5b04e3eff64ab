import { deepEqual, throws } from "node:assert/strict";
import { portRange } from "../../commands/flag_kinds.ts";
import { checkNotBroker, parseTunnelTarget } from "../../commands/tunnel_target.ts";

Deno.test("parseTunnelTarget() reads a kind and a place", () => {
  const cases: [string[], ReturnType<typeof parseTunnelTarget>][] = [
    [["http", "3000"], { kind: "http", hostname: "localhost", port: 3000 }],
    [["tcp", "db.intern:5432"], { kind: "tcp", hostname: "db.intern", port: 5432 }],
    [["tcp", "[::1]:22"], { kind: "tcp", hostname: "::1", port: 22 }],
    [["http", "http://localhost:3000/"], { kind: "http", hostname: "localhost", port: 3000 }],
  ];
  for (const [operands, expected] of cases) deepEqual(parseTunnelTarget(operands), expected);
});

Deno.test("parseTunnelTarget() refuses everything else, with a hint", () => {
  throws(() => parseTunnelTarget(["htpp", "3000"]), { code: "invalid_argument", message: /http/ });
  for (const place of ["", "a", "a:", ":3000", "0", "65536", "a b:1", "https://x:1/path"]) {
    throws(
      () => parseTunnelTarget(["tcp", place]),
      { code: "invalid_argument", message: /host:3000/ },
      place,
    );
  }
});

Deno.test("--tcp-ports takes a range of ports", () => {
  deepEqual(portRange.parse(["20000-20999"]), { first: 20_000, last: 20_999 });
  deepEqual(portRange.parse(["80-80"]), { first: 80, last: 80 });
  for (const text of ["", "20000", "2-1", "0-5", "1-65536", "a-b", "1-2-3"]) {
    throws(() => portRange.parse([text]), { code: "invalid_argument" }, text);
  }
});

Deno.test("checkNotBroker() refuses to publish the broker through itself", () => {
  const check = (hostname: string, port: number, url: string) =>
    checkNotBroker({ kind: "tcp", hostname, port }, new URL(url));
  const own: [string, number, string][] = [
    ["localhost", 4080, "http://localhost:4080/"],
    ["127.0.0.1", 4080, "http://localhost:4080/"],
    ["localhost", 4080, "http://[::1]:4080/"],
    ["Broker.example.org", 443, "https://broker.example.org/"],
  ];
  for (const [hostname, port, url] of own) {
    throws(() => check(hostname, port, url), { code: "invalid_argument", message: /is the broker itself/ });
  }
  check("localhost", 3000, "http://localhost:4080/");
  check("localhost", 443, "https://broker.example.org/");
  check("192.0.2.1", 4080, "http://localhost:4080/");
});
