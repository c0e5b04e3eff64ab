import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { parseIpAddress } from "../../../../core/broker/identity/ip_address.ts";
import { TrustedProxies } from "../../../../core/broker/identity/trusted_proxies.ts";

Deno.test("parseIpAddress() reads what sockets report", () => {
  const cases: [string, number[]][] = [
    ["1.2.3.4", [1, 2, 3, 4]],
    ["255.255.255.255", [255, 255, 255, 255]],
    ["::", new Array(16).fill(0)],
    ["::1", [...new Array(15).fill(0), 1]],
    ["::ffff:1.2.3.4", [1, 2, 3, 4]],
    ["::FFFF:0102:0304", [1, 2, 3, 4]],
    ["[2001:db8::1]", [0x20, 1, 0x0d, 0xb8, ...new Array(11).fill(0), 1]],
    ["fe80::1%eth0", [0xfe, 0x80, ...new Array(13).fill(0), 1]],
    ["1:2:3:4:5:6:7:8", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]],
    ["1:2:3:4:5:6:7::", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0]],
    ["64:ff9b::1.2.3.4", [0, 0x64, 0xff, 0x9b, ...new Array(8).fill(0), 1, 2, 3, 4]],
  ];
  for (const [text, bytes] of cases) deepStrictEqual([...parseIpAddress(text) ?? []], bytes, text);
});

Deno.test("parseIpAddress() refuses everything else", () => {
  const bad = [
    "",
    "localhost",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.-4",
    "1.2.3.4:80",
    "0x7f.0.0.1",
    "2130706433",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4::5:6:7:8",
    "12345::",
    "g::",
    ":1::2",
    "1::2:",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "unknown",
  ];
  for (const text of bad) strictEqual(parseIpAddress(text), null, text);
  fc.assert(fc.property(fc.string(), (text) => {
    const bytes = parseIpAddress(text);
    return bytes === null || bytes.length === 4 || bytes.length === 16;
  }));
});

Deno.test("parseIpAddress() agrees with the URL parser on IPv6", () => {
  fc.assert(fc.property(fc.ipV6(), (text) => {
    const url = URL.parse(`http://[${text}]/`);
    deepStrictEqual(parseIpAddress(text), parseIpAddress(url!.hostname));
    return parseIpAddress(text) !== null;
  }));
});

Deno.test("TrustedProxies.has() compares by prefix", () => {
  const proxies = new TrustedProxies([
    "10.0.0.0/8",
    "192.168.1.128/25",
    "192.0.2.5",
    "2001:db8::/33",
    "::1/128",
  ]);
  for (
    const inside of ["10.255.0.1", "::ffff:10.1.2.3", "192.168.1.128", "192.0.2.5", "2001:db8:7fff::1", "::1"]
  ) {
    strictEqual(proxies.has(inside), true, inside);
  }
  for (
    const outside of [
      "11.0.0.1",
      "192.168.1.127",
      "192.0.2.4",
      "2001:db8:8000::",
      "::2",
      "::",
      "0.0.0.1",
      "x",
    ]
  ) {
    strictEqual(proxies.has(outside), false, outside);
  }
  strictEqual(new TrustedProxies(["0.0.0.0/0"]).has("203.0.113.1"), true);
  strictEqual(new TrustedProxies(["0.0.0.0/0"]).has("2001:db8::1"), false);
});

Deno.test("TrustedProxies refuses what is no range", () => {
  for (
    const cidr of [
      "",
      "10.0.0.0/33",
      "10.0.0.0/-1",
      "10.0.0.0/",
      "10.0.0.0/8/8",
      "::/129",
      "example.org",
      "10/8",
    ]
  ) {
    throws(() => new TrustedProxies([cidr]), { code: "invalid_argument" }, cidr);
  }
});

Deno.test("TrustedProxies.clientAddress() believes trusted proxies only, from the right", () => {
  const proxies = new TrustedProxies(["10.0.0.0/8", "::1"]);
  const cases: [remote: string, forwarded: string | null, client: string][] = [
    ["203.0.113.9", null, "203.0.113.9"],
    ["203.0.113.9", "127.0.0.1", "203.0.113.9"],
    ["10.0.0.1", null, "10.0.0.1"],
    ["10.0.0.1", "203.0.113.9", "203.0.113.9"],
    ["10.0.0.1", "127.0.0.1, 203.0.113.9", "203.0.113.9"],
    ["10.0.0.1", "127.0.0.1, 203.0.113.9, 10.0.0.7", "203.0.113.9"],
    ["::1", "198.51.100.1,10.0.0.2 , ::1", "198.51.100.1"],
    ["10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
    ["10.0.0.1", "203.0.113.9, unknown", "10.0.0.1"],
    ["10.0.0.1", "", "10.0.0.1"],
    ["10.0.0.1", "203.0.113.9" + ", 10.0.0.2".repeat(10_000), "10.0.0.2"],
  ];
  for (const [remote, forwarded, client] of cases) {
    strictEqual(proxies.clientAddress(remote, forwarded), client, `${remote} ${forwarded?.slice(0, 60)}`);
  }
});

Deno.test("TrustedProxies.requestedHost() believes X-Forwarded-Host of proxies only", () => {
  const proxies = new TrustedProxies(["10.0.0.0/8"]);
  const headers = new Headers({ host: "inner:4080", "x-forwarded-host": "forged, broker.example" });
  strictEqual(proxies.requestedHost("10.0.0.1", headers), "broker.example");
  strictEqual(proxies.requestedHost("192.0.2.1", headers), "inner:4080");
  strictEqual(proxies.requestedHost("10.0.0.1", new Headers({ host: "inner" })), "inner");
  strictEqual(proxies.requestedHost("10.0.0.1", new Headers()), "");
});
