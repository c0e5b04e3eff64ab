import { strictEqual, throws } from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { BrickchainAudience } from "../../../../core/host/brickchain/brickchain_audience.ts";

const audience = new BrickchainAudience({
  scheme: "http",
  port: () => 4080,
  names: ["broker.test"],
  publicUrls: ["https://tunnels.example.org/"],
});

/** A connection as the broker sees it. */
function dialed(
  host: string | undefined,
  remoteAddress = "10.0.0.9",
  localAddress = "10.0.0.1",
): IncomingMessage {
  return { headers: { host }, socket: { remoteAddress, localAddress } } as unknown as IncomingMessage;
}

const table: readonly (readonly [boolean, string, IncomingMessage])[] = [
  [true, "http://broker.test:4080", dialed("broker.test:4080")],
  [true, "http://broker.test:4080", dialed("BROKER.test:4080")],
  [false, "http://broker.test:4080", dialed("other.test:4080")],
  [false, "http://other.test:4080", dialed("other.test:4080")],
  [false, "http://broker.test:9999", dialed("broker.test:9999")],
  [false, "http://broker.test", dialed("broker.test")],
  [false, "https://broker.test:4080", dialed("broker.test:4080")],
  [false, "http://broker.test.evil.test:4080", dialed("broker.test.evil.test:4080")],
  [true, "http://10.0.0.1:4080", dialed("10.0.0.1:4080")],
  [false, "http://10.0.0.2:4080", dialed("10.0.0.2:4080")],
  [true, "http://[fd00::1]:4080", dialed("[fd00::1]:4080", "fd00::9", "fd00:0::1")],
  [true, "http://localhost:4080", dialed("localhost:4080", "127.0.0.1", "127.0.0.1")],
  [true, "http://localhost:8080", dialed("localhost:8080", "::1", "::1")],
  [false, "http://localhost:4080", dialed("localhost:4080")],
  [true, "https://tunnels.example.org", dialed("whatever")],
  [true, "https://tunnels.example.org", dialed(undefined)],
  [false, "http://tunnels.example.org", dialed("whatever")],
  [false, "http://broker.test:4080", dialed("a b")],
];
for (const [accepted, origin, incoming] of table) {
  const from = `${incoming.headers.host} from ${incoming.socket.remoteAddress}`;
  Deno.test(`a token for ${origin} at ${from} is ${accepted ? "for us" : "for somebody else"}`, () => {
    strictEqual(audience.accepts(origin, incoming), accepted);
  });
}

Deno.test("a public URL must be one", () => {
  for (const url of ["tunnels.example.org", "ws://a", ""]) {
    const options = { scheme: "http", port: () => 1, names: [], publicUrls: [url] } as const;
    throws(() => new BrickchainAudience(options), { code: "invalid_argument" });
  }
});
