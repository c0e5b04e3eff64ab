import { equal, match } from "node:assert/strict";
import { debugText, RendezvousCounts } from "../../../core/rendezvous/rendezvous_counts.ts";

const POLL = { sid: "x", clients: 0, relayPattern: "" } as const;

Deno.test("endPeriod() tells the numbers of the period in steps of eight, and begins anew", () => {
  const counts = new RendezvousCounts();
  for (const address of ["10.0.0.1", "10.0.0.2", "10.0.0.1"]) {
    counts.poll({ ...POLL, type: "standalone", nat: "restricted" }, address);
  }
  counts.poll({ ...POLL, type: "unknown", nat: "unknown", relayPattern: null }, "10.0.0.1");
  counts.reject({ ...POLL, type: "badge", nat: "unknown" });
  counts.endPoll("restricted", "idle");
  counts.endPoll("restricted", "matched");
  for (let i = 0; i < 9; i++) counts.endOffer("unknown", "denied");
  counts.endOffer("unrestricted", "denied");
  for (let i = 0; i < 8; i++) counts.endOffer("restricted", "matched");
  const end = new Date("2026-11-21T12:34:56.789Z");
  equal(
    counts.endPeriod(end, 86_400),
    `snowflake-stats-end 2026-11-21 12:34:56 (86400 s)
snowflake-ips ${""}
snowflake-ips-standalone 2
snowflake-ips-webext 0
snowflake-ips-badge 0
snowflake-ips-iptproxy 0
snowflake-ips-total 3
snowflake-idle-count 8
snowflake-proxy-poll-with-relay-url-count 8
snowflake-proxy-poll-without-relay-url-count 8
snowflake-proxy-rejected-for-relay-url-count 8
client-denied-count 16
client-restricted-denied-count 16
client-unrestricted-denied-count 8
client-snowflake-match-count 8
snowflake-ips-nat-restricted 0
snowflake-ips-nat-unrestricted 0
snowflake-ips-nat-unknown 0
`,
  );
  equal(/(count|total|standalone) [1-9]/.test(counts.endPeriod(end, 86_400)), false);
  equal(counts.clientEnds.get("unknown,denied"), 9, "counts for Prometheus go on");
});

Deno.test("endPeriod() counts no more than 100,000 addresses of a type", () => {
  const counts = new RendezvousCounts();
  for (let i = 0; i < 100_001; i++) counts.poll({ ...POLL, type: "webext", nat: "unknown" }, `address ${i}`);
  match(counts.endPeriod(new Date(0), 1), /^snowflake-ips-webext 100000$/m);
});

Deno.test("debugText() lists types that are there, and all kinds of NAT", () => {
  equal(
    debugText([
      { type: "webext", nat: "unknown" },
      { type: "standalone", nat: "restricted" },
      { type: "webext", nat: "restricted" },
    ]),
    "current snowflakes available: 3\n\tstandalone proxies: 1\n\twebext proxies: 2\n\tunknown proxies: 0\n" +
      "NAT Types available:\n\trestricted: 2\n\tunrestricted: 0\n\tunknown: 1",
  );
});
