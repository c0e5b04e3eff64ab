/** Tests of addresses to listen on. */

import assert from "node:assert/strict";
import { formatListenAddress, parseListenAddress } from "../../commands/listen_address.ts";

Deno.test("parseListenAddress() reads hosts, ports and IPv6 addresses", () => {
  const cases: [string, string | null, number][] = [
    ["localhost:4080", "localhost", 4080],
    [":4080", null, 4080],
    ["4080", "localhost", 4080],
    ["0.0.0.0:80", "0.0.0.0", 80],
    ["[::1]:0", "::1", 0],
    ["[::ffff:10.0.0.1]:65535", "::ffff:10.0.0.1", 65_535],
    ["my-host.example:1", "my-host.example", 1],
  ];
  for (const [text, host, port] of cases) assert.deepEqual(parseListenAddress(text), { host, port }, text);
});

Deno.test("parseListenAddress() refuses everything else", () => {
  for (
    const text of [
      "",
      "localhost",
      ":",
      "::1:80",
      "[::1]",
      "host:65536",
      "host:-1",
      "a b:1",
      "http://h:1",
      "[x]:1",
    ]
  ) {
    assert.throws(() => parseListenAddress(text), {
      code: "invalid_argument",
      message: /no address to listen/,
    }, text);
  }
});

Deno.test("formatListenAddress() writes what parseListenAddress() reads back", () => {
  for (const text of ["localhost:4080", ":4080", "[::1]:0", "10.0.0.1:1"]) {
    assert.equal(formatListenAddress(parseListenAddress(text)), text);
  }
});
