import { equal } from "node:assert/strict";
import { covers, parseRelayPattern } from "../../../core/rendezvous/relay_pattern.ts";

Deno.test("covers() tells whether a proxy accepts every relay that is allowed", () => {
  const table: [proxy: string, allowed: string, covered: boolean][] = [
    ["snowflake.torproject.net$", "snowflake.torproject.net$", true],
    ["snowflake.torproject.net$", "^snowflake.torproject.net$", true],
    ["torproject.net$", "snowflake.torproject.net", true],
    ["snowflake.torproject.net$", "torproject.net", false],
    ["snowflake.torproject.net$", "", false],
    ["", "anything.example", true],
    ["$", "anything.example", true],
    ["", "", true],
    ["^", "", false],
    ["^", "^", true],
    ["^", "^$", true],
    ["$", "^", true],
    ["^a.example$", "^a.example", true],
    ["^a.example$", "a.example", false],
    ["^a.example$", "^b.a.example", false],
    ["ample.org$", "example.org$", true], // no boundary at dots
  ];
  for (const [proxy, allowed, covered] of table) {
    equal(
      covers(parseRelayPattern(proxy), parseRelayPattern(allowed)),
      covered,
      `"${proxy}" and "${allowed}"`,
    );
  }
});
