/** The texts of Deno 2.9 that hold the code of a peer; tests/system shows that they are still the same. */

import { strictEqual } from "node:assert/strict";
import { quicStreamErrorCode } from "../../../core/host/quic_stream_error.ts";
import { toApplicationCode } from "../../../core/webtransport/application_error.ts";

const TEXTS: readonly [text: string, code: number | undefined, ofApplication: number | undefined][] = [
  ["stream reset by peer: error 91141958510816", 91141958510816, 5],
  ["sending stopped by peer: error 91141958510817", 91141958510817, 6],
  ["sending stopped by peer: error 0", 0, undefined],
  ["connection lost", undefined, undefined],
  ["closed by peer: error 5", undefined, undefined],
];

for (const [text, code, ofApplication] of TEXTS) {
  Deno.test(`quicStreamErrorCode() finds ${code} in "${text}"`, () => {
    const found = quicStreamErrorCode(new Error(text));
    strictEqual(found, code);
    strictEqual(found === undefined ? undefined : toApplicationCode(found), ofApplication);
  });
}

Deno.test("quicStreamErrorCode() finds nothing in what is no error", () => {
  strictEqual(quicStreamErrorCode("stream reset by peer: error 1"), undefined);
});
