import { equal, throws } from "node:assert/strict";
import { DEFAULT_BRIDGES, parseBridgeList } from "../../../core/rendezvous/bridge_list.ts";
import { DEFAULT_FINGERPRINT } from "../../../core/rendezvous/fingerprint.ts";

const ONE = `{"displayName":"one","webSocketAddress":"wss://one.example/","fingerprint":"${"a".repeat(40)}"}`;
const TWO = `{"displayName":"two","webSocketAddress":"ws://two.example/x","fingerprint":"${"B".repeat(64)}"}`;

Deno.test("parseBridgeList() finds relay URLs by fingerprint, with or without a last line feed", () => {
  for (const text of [`${ONE}\n${TWO}`, `${ONE}\n${TWO}\n`]) {
    const bridges = parseBridgeList(text);
    equal(bridges.size, 2);
    equal(bridges.get("A".repeat(40)), "wss://one.example/");
    equal(bridges.get("B".repeat(64)), "ws://two.example/x");
  }
  equal(DEFAULT_BRIDGES.get(DEFAULT_FINGERPRINT), "wss://snowflake.torproject.net/");
});

Deno.test("parseBridgeList() refuses the whole list for one wrong line, and names it", () => {
  const table: [line: string, reason: RegExp][] = [
    ["", /line 2 .*no JSON/],
    ["nonsense", /line 2 .*no JSON/],
    ["null", /no JSON object/],
    [ONE.replace("displayName", "nickname"), /"nickname" is not known/],
    [ONE.replace("aaaa", "aaa"), /fingerprint/],
    [ONE.replace("wss:", "https:"), /webSocketAddress/],
    [`{"displayName":"x","webSocketAddress":"wss://x/"}`, /fingerprint/],
  ];
  for (const [line, reason] of table) throws(() => parseBridgeList(`${TWO}\n${line}\n${TWO}`), reason, line);
});
