import { deepEqual, equal } from "node:assert/strict";
import * as fc from "fast-check";
import { datagramOverhead, decodeDatagram, encodeDatagram } from "../../../core/webtransport/datagram.ts";
import { http3Failure } from "../../support/http3_failure.ts";

const TABLE: readonly [string, bigint, string][] = [
  ["00", 0n, ""],
  ["01aabb", 4n, "aabb"],
  ["404001", 256n, "01"],
  ["cfffffffffffffff02", (1n << 62n) - 4n, "02"],
];

for (const [hex, sessionId, payload] of TABLE) {
  Deno.test(`datagram ${hex} is for session ${sessionId}, in both directions`, () => {
    equal(encodeDatagram(sessionId, Uint8Array.fromHex(payload)).toHex(), hex);
    const decoded = decodeDatagram(Uint8Array.fromHex(hex));
    deepEqual([decoded.sessionId, decoded.payload.toHex()], [sessionId, payload]);
    equal(datagramOverhead(sessionId), (hex.length - payload.length) / 2);
  });
}

Deno.test("decodeDatagram() refuses a datagram without an id, or with one of no stream", () => {
  for (const hex of ["", "40", "c00000", "d000000000000000"]) {
    deepEqual(http3Failure(() => decodeDatagram(Uint8Array.fromHex(hex))), [
      "H3_DATAGRAM_ERROR",
      "connection",
    ]);
  }
});

Deno.test("decodeDatagram() survives any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    const failure = http3Failure(() => decodeDatagram(bytes));
    if (failure !== undefined) deepEqual(failure, ["H3_DATAGRAM_ERROR", "connection"]);
  }));
});
