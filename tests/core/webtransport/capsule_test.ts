import { deepEqual, equal, throws } from "node:assert/strict";
import * as fc from "fast-check";
import { type Capsule, CapsuleReader, encodeClose, encodeDrain } from "../../../core/webtransport/capsule.ts";
import { encodeVarints } from "../../../core/webtransport/varint.ts";
import { http3Failure } from "../../support/http3_failure.ts";

const MALFORMED = ["H3_MESSAGE_ERROR", "stream"];

/** All capsules in some chunks, to the end of the stream. */
function read(...chunks: readonly Uint8Array[]): Capsule[] {
  const reader = new CapsuleReader();
  const capsules = chunks.flatMap((chunk) => [...reader.push(chunk)]);
  reader.end();
  return capsules;
}

const readHex = (...chunks: readonly string[]) => read(...chunks.map((hex) => Uint8Array.fromHex(hex)));

const CLOSES: readonly [string, number, string][] = [
  ["68430400000000", 0, ""],
  ["68430e0000004d73657276657220627965", 77, "server bye"],
  ["684308ffffffff66c3bc72", 0xffff_ffff, "f\u00fcr"],
];

for (const [hex, code, reason] of CLOSES) {
  Deno.test(`capsule ${hex} closes with ${code} "${reason}", in both directions`, () => {
    equal(encodeClose(code, reason).toHex(), hex);
    deepEqual(readHex(hex), [{ type: "close", code, reason }]);
    deepEqual(readHex(...hex.match(/../g) as string[]), [{ type: "close", code, reason }]);
  });
}

Deno.test("capsule 800078ae00 drains, in both directions", () => {
  equal(encodeDrain().toHex(), "800078ae00");
  deepEqual(readHex("800078ae00", "800078ae00"), [{ type: "drain" }, { type: "drain" }]);
});

Deno.test("CapsuleReader skips unknown capsules and datagrams of any length", () => {
  deepEqual(readHex("2103ffffff", "0002aabb", "800078ae00"), [{ type: "drain" }]);
  const reader = new CapsuleReader();
  const head = encodeVarints(0x21, 1n << 50n);
  deepEqual([...reader.push(head), ...reader.push(new Uint8Array(100_000))], []);
});

const BAD: readonly [string, string][] = [
  ["a close without a whole code", "684303000000"],
  ["a close beyond the limit of its reason", "6843440500000000"],
  ["a reason that is no UTF-8", "68430600000000c328"],
  ["a drain with a payload", "800078ae01aa"],
  ["bytes behind the close", "68430400000000" + "2100" + "800078ae00"],
  ["an end inside of a capsule", "684304000000"],
  ["an end inside of an unknown capsule", "2102aa"],
];

for (const [what, hex] of BAD) {
  Deno.test(`CapsuleReader refuses ${what}`, () => deepEqual(http3Failure(() => readHex(hex)), MALFORMED));
}

Deno.test("CapsuleReader refuses any byte in a chunk behind the close", () => {
  const reader = new CapsuleReader();
  deepEqual([...reader.push(encodeClose(0, ""))], [{ type: "close", code: 0, reason: "" }]);
  deepEqual(http3Failure(() => [...reader.push(new Uint8Array([0x21]))]), MALFORMED);
});

Deno.test("CapsuleReader takes a reason of 1024 bytes, and refuses one more before it comes", () => {
  const head = (bytes: number) => encodeVarints(0x2843, 4 + bytes);
  deepEqual([...new CapsuleReader().push(head(1024))], []);
  deepEqual(http3Failure(() => [...new CapsuleReader().push(head(1025))]), MALFORMED);
});

Deno.test("encodeClose() cuts the reason at 1024 bytes, between characters", () => {
  deepEqual(read(encodeClose(1, "a" + "ü".repeat(600))), [{
    type: "close",
    code: 1,
    reason: "a" + "ü".repeat(511),
  }]);
  deepEqual(read(encodeClose(1, "b".repeat(1024))), [{ type: "close", code: 1, reason: "b".repeat(1024) }]);
});

Deno.test("encodeClose() refuses codes that have not 32 bits", () => {
  for (const code of [-1, 2 ** 32, 1.5]) throws(() => encodeClose(code, ""), RangeError);
});

Deno.test("CapsuleReader survives any bytes, in any chunks", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 6 }), (chunks) => {
    const failure = http3Failure(() => read(...chunks));
    if (failure !== undefined) deepEqual(failure, MALFORMED);
  }));
});

Deno.test("CapsuleReader survives any payload of a close", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (payload) => {
    const failure = http3Failure(() => read(encodeVarints(0x2843, payload.length), payload));
    if (failure !== undefined) deepEqual(failure, MALFORMED);
  }));
});
