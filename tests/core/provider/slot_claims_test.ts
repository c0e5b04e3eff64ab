/** Tests of what is believed of a slot. */

import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { exited, failed, ORIGINS, type Outcome, REASONS } from "../../../core/outcome.ts";
import { believe, MAX_MESSAGE_BYTES } from "../../../core/provider/slot_claims.ts";
import type { DoneHeader } from "../../../core/provider/slot_headers.ts";

const KNOWN = { elapsedMs: 100, maxMemoryBytes: 1_000_000, maxMessageBytes: MAX_MESSAGE_BYTES };

function claim(changes: Partial<DoneHeader> = {}): DoneHeader {
  return { outcome: exited(7), durationMs: 50, memoryBytes: 65_536, rssBytes: 0, keptBytes: 0, ...changes };
}

Deno.test("believe() keeps what is plausible, and no more time than has passed", () => {
  deepStrictEqual(believe(claim(), KNOWN), { outcome: exited(7), durationMs: 50, memoryBytes: 65_536 });
  strictEqual(believe(claim({ durationMs: 1e300 }), KNOWN).durationMs, 100);
  strictEqual(believe(claim({ durationMs: Infinity }), KNOWN).durationMs, 100);
  strictEqual(believe(claim({ memoryBytes: 1_000_000 }), KNOWN).memoryBytes, 1_000_000);
  strictEqual(believe(claim({ outcome: exited(2 ** 32 - 1) }), KNOWN).outcome.status, 2 ** 32 - 1);
});

Deno.test("believe() leaves to a slot only what a slot decides", () => {
  const allowed: string[] = [];
  for (const reason of REASONS) {
    for (const origin of ORIGINS) {
      const outcome: Outcome = { reason, origin, status: 1, message: "" };
      try {
        believe(claim({ outcome }), KNOWN);
        allowed.push(`${origin} ${reason}`);
      } catch (error) {
        strictEqual((error as { code: string }).code, "internal");
      }
    }
  }
  deepStrictEqual(allowed, [
    ...["guest exit", "guest memory", "guest trap", "provider rejected", "provider limit"],
  ]);
});

Deno.test("believe() refuses absurd numbers", () => {
  for (const memoryBytes of [1_000_001, 1.5, Infinity]) throws(() => believe(claim({ memoryBytes }), KNOWN));
  for (const status of [-1, 2 ** 32]) throws(() => believe(claim({ outcome: exited(status) }), KNOWN));
});

Deno.test("believe() cuts messages of any text", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), fc.nat(100), (part, times) => {
    const message = part.repeat(times);
    const { outcome } = believe(claim({ outcome: failed("trap", "guest", message) }), KNOWN);
    return new TextEncoder().encode(outcome.message).length <= MAX_MESSAGE_BYTES;
  }));
});
