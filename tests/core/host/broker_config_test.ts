import { deepStrictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { NoConfigError, parseBrokerConfig } from "../../../core/host/broker_config.ts";

const HASH = "99e3bbf5a27dbbdf0a9789098692b3a8cf17911979c3406e4263b66e1cf0f2b0";
const OTHER = "0".repeat(64);

function parse(document: unknown) {
  const { transport, certHashes } = parseBrokerConfig(JSON.stringify(document));
  return [transport.href, certHashes.map((hash) => hash.toHex())];
}

Deno.test("parseBrokerConfig() reads our document and that of an existing broker", () => {
  const transport = "https://localhost:4443/transport";
  deepStrictEqual(parse({ transport }), [`${transport}/`, []]);
  deepStrictEqual(parse({ transport, certhash: HASH }), [`${transport}/`, [HASH]]);
  deepStrictEqual(parse({ transport: `${transport}/`, certhash: HASH, certhashes: [HASH, OTHER], more: 1 }), [
    `${transport}/`,
    [HASH, OTHER],
  ]);
});

Deno.test("parseBrokerConfig() reads when the certificate ends, where a broker says it", () => {
  const expires = (certexpires: unknown) =>
    parseBrokerConfig(JSON.stringify({ transport: "https://x/", certexpires })).expires?.toISOString() ??
      null;
  deepStrictEqual(expires("2026-12-01T00:00:00.000Z"), "2026-12-01T00:00:00.000Z");
  deepStrictEqual([expires("soon"), expires(7), expires(undefined)], [null, null, null]);
});

Deno.test("parseBrokerConfig() takes no more hashes than a broker can need", () => {
  deepStrictEqual(parse({ transport: "https://x/", certhashes: new Array(1_000).fill(HASH) })[1]!.length, 16);
});

Deno.test("parseBrokerConfig() refuses everything else", () => {
  const transport = "https://localhost:4443/transport";
  const cases = [
    null,
    [],
    "https://x/",
    {},
    { transport: "" },
    { transport: 7 },
    { transport: "http://x/" },
    { transport: "https://me:secret@x/" },
    { transport: "https://x/?token=secret" },
    { transport, certhash: "abc" },
    { transport, certhashes: [7] },
  ];
  for (const document of cases) {
    throws(() => parse(document), NoConfigError, JSON.stringify(document));
  }
  throws(() => parseBrokerConfig("<html>"), NoConfigError);
});

Deno.test("parseBrokerConfig() throws nothing else, whatever comes", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
    try {
      parseBrokerConfig(text);
    } catch (error) {
      if (!(error instanceof NoConfigError)) throw error;
    }
  }));
});
