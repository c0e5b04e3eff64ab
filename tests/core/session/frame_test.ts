import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { WasimoffError } from "../../../core/errors.ts";
import { joinChunks } from "../../../core/join_chunks.ts";
import { MAX_FRAME_BYTES, MAX_PAYLOAD_BYTES, MAX_REASON_BYTES } from "../../../core/protocol/limits.ts";
import {
  decodeFrame,
  encodeDataHead,
  encodeFrame,
  type Frame,
  FRAME_ABORT,
  FRAME_ACK,
  FRAME_CREDIT,
  FRAME_DATA,
  FRAME_END,
  FRAME_GOODBYE,
  FRAME_HELLO,
  FRAME_MESSAGE,
  FRAME_REFUSAL,
  FRAME_STOP,
  FRAME_WELCOME,
  isSeparable,
  isSequenced,
  laneOf,
} from "../../../core/session/frame.ts";

const body = (...bytes: number[]) => Uint8Array.from(bytes);
const bytesOf = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));

/** Every type of frame with its bytes, as core/protocol/README.md lays them out. */
const TABLE: readonly (readonly [Frame, string])[] = [
  [{ type: FRAME_HELLO, body: body(8, 2) }, "01 0802"],
  [{ type: FRAME_WELCOME, body: body(8, 2) }, "02 0802"],
  [{ type: FRAME_REFUSAL, body: body(8, 16) }, "03 0810"],
  [{ type: FRAME_MESSAGE, body: body() }, "10"],
  [{ type: FRAME_MESSAGE, body: body(1, 2, 3) }, "10 010203"],
  [{ type: FRAME_DATA, stream: 2, offset: 0, body: body(0xff) }, "11 00000002 0000000000000000 ff"],
  [
    { type: FRAME_DATA, stream: 0xffff_fffe, offset: 2 ** 32 + 5, body: body(1, 2) },
    "11 fffffffe 0000000100000005 0102",
  ],
  [{ type: FRAME_END, stream: 3, length: 65_536 }, "12 00000003 0000000000010000"],
  [
    { type: FRAME_END, stream: 3, length: Number.MAX_SAFE_INTEGER },
    "12 00000003 001fffffffffffff",
  ],
  [{ type: FRAME_ABORT, stream: 4, code: "data_loss", reason: "disk" }, "13 00000004 0f 6469736b"],
  [{ type: FRAME_CREDIT, stream: 5, limit: 1_048_576 }, "14 00000005 0000000000100000"],
  [{ type: FRAME_STOP, stream: 6, code: "canceled", reason: "" }, "15 00000006 01"],
  [{ type: FRAME_ACK, received: 300 }, "20 000000000000012c"],
  [{ type: FRAME_GOODBYE, code: "unavailable", reason: "zü" }, "21 0e 7ac3bc"],
];

Deno.test("encodeFrame() and decodeFrame() agree with the table, both ways", () => {
  for (const [frame, hex] of TABLE) {
    equal(encodeFrame(frame).toHex(), hex.replaceAll(" ", ""));
    deepEqual(decodeFrame(bytesOf(hex)), frame);
  }
  equal(new Set(TABLE.map(([{ type }]) => type)).size, 11, "the table has every type");
});

Deno.test("decodeFrame() reads a frame that is a view into a larger buffer", () => {
  const large = bytesOf("eeee 14 00000005 0000000000100000 eeee");
  deepEqual(decodeFrame(large.subarray(2, 15)), { type: FRAME_CREDIT, stream: 5, limit: 1_048_576 });
});

Deno.test("isSequenced() is true for messages and streams only", () => {
  const sequenced = TABLE.filter(([{ type }]) => isSequenced(type)).map(([{ type }]) => type);
  deepEqual([...new Set(sequenced)], [0x10, 0x11, 0x12, 0x13, 0x14, 0x15]);
});

Deno.test("decodeFrame() refuses every frame of fixed layout that is cut or too long", () => {
  for (const [frame, hex] of TABLE) {
    const bytes = bytesOf(hex);
    const shortest = { 0x11: 14, 0x13: 6, 0x15: 6, 0x21: 2 }[frame.type as number] ??
      (frame.type === FRAME_ACK || "length" in frame || "limit" in frame ? bytes.length : 1);
    for (let length = 0; length < shortest; length++) {
      throws(() => decodeFrame(bytes.subarray(0, length)), {
        name: "WasimoffError",
        code: "invalid_argument",
      });
    }
  }
  for (
    const hex of [
      "12 00000003 0000000000010000 00",
      "14 00000003 0000000000010000 00",
      "20 000000000000012c 00",
    ]
  ) {
    throws(() => decodeFrame(bytesOf(hex)), { code: "invalid_argument" });
  }
});

Deno.test("decodeFrame() refuses unknown types, numbers above 2^53 and payloads above 64 KiB", () => {
  const sized = (type: number, length: number) => {
    const bytes = new Uint8Array(length);
    bytes[0] = type;
    return bytes;
  };
  const bad: [Uint8Array, RegExp][] = [
    [bytesOf("00"), /^received a frame of unknown type 0$/],
    [bytesOf("16 01"), /unknown type 22$/],
    [bytesOf("ff"), /unknown type 255$/],
    [bytesOf("12 00000003 0020000000000000"), /number above 2\^53$/],
    [bytesOf("11 00000003 ffffffffffffffff 00"), /number above 2\^53$/],
    [bytesOf("20 0020000000000001"), /number above 2\^53$/],
    [sized(FRAME_MESSAGE, MAX_PAYLOAD_BYTES + 2), /65537 bytes inside$/],
    [sized(FRAME_DATA, MAX_PAYLOAD_BYTES + 14), /65537 bytes inside$/],
    [sized(FRAME_MESSAGE, MAX_FRAME_BYTES + 1), /65601 bytes long$/],
  ];
  for (const [bytes, message] of bad) throws(() => decodeFrame(bytes), { code: "invalid_argument", message });
  equal(
    (decodeFrame(sized(FRAME_MESSAGE, MAX_PAYLOAD_BYTES + 1)) as { body: Uint8Array }).body.length,
    65_536,
  );
});

Deno.test("encodeFrame() refuses a payload above 64 KiB as a mistake of the program", () => {
  throws(() => encodeFrame({ type: FRAME_MESSAGE, body: new Uint8Array(MAX_PAYLOAD_BYTES + 1) }), RangeError);
  const full = new Uint8Array(MAX_PAYLOAD_BYTES);
  equal(encodeFrame({ type: FRAME_DATA, stream: 1, offset: 0, body: full }).length, MAX_PAYLOAD_BYTES + 13);
});

Deno.test("a reason is cut to its limit without breaking a character, also one that a peer made longer", () => {
  const cut = decodeFrame(encodeFrame({ type: FRAME_GOODBYE, code: "internal", reason: "€".repeat(1_000) }));
  equal((cut as { reason: string }).reason, "€".repeat(341));
  const long = new Uint8Array(2 + 5_000).fill(0x61);
  long.set([FRAME_GOODBYE, 13]);
  equal((decodeFrame(long) as { reason: string }).reason, "a".repeat(MAX_REASON_BYTES));
});

Deno.test("a code that nobody knows is unknown", () => {
  deepEqual(decodeFrame(bytesOf("21 63")), { type: FRAME_GOODBYE, code: "unknown", reason: "" });
});

Deno.test("decodeFrame() answers arbitrary bytes with a frame that encodes again, or a WasimoffError", () => {
  const types = [1, 2, 3, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x20, 0x21, 0xff];
  const bytes = fc.tuple(fc.constantFrom(...types), fc.uint8Array({ maxLength: 40 }))
    .map(([type, rest]) => Uint8Array.of(type, ...rest));
  fc.assert(fc.property(fc.oneof(bytes, fc.uint8Array({ maxLength: 40 })), (input) => {
    let frame: Frame;
    try {
      frame = decodeFrame(input);
    } catch (error) {
      ok(error instanceof WasimoffError && error.code === "invalid_argument", `${error}`);
      return;
    }
    deepEqual(decodeFrame(encodeFrame(frame)), frame);
  }));
});

Deno.test("laneOf() names the stream of DATA from 64 KiB on and of an END beyond, and none for all other frames", () => {
  const one = body(1);
  const lane = (frame: Frame) => laneOf(encodeFrame(frame));
  equal(lane({ type: FRAME_DATA, stream: 7, offset: 65_536, body: one }), 7);
  equal(lane({ type: FRAME_DATA, stream: 7, offset: 65_535, body: one }), 0);
  equal(lane({ type: FRAME_END, stream: 0xffff_ffff, length: 65_537 }), 0xffff_ffff);
  equal(lane({ type: FRAME_END, stream: 7, length: 65_536 }), 0);
  for (const [frame] of TABLE) {
    if (frame.type !== FRAME_DATA && frame.type !== FRAME_END) equal(lane(frame), 0);
  }
});

Deno.test("encodeDataHead() is what comes before the body of a DATA frame", () => {
  const body = new Uint8Array(8 * 1024).fill(7);
  const whole = encodeFrame({ type: FRAME_DATA, stream: 5, offset: 2 ** 40, body });
  deepEqual(joinChunks([encodeDataHead(5, 2 ** 40), body]), whole);
});

Deno.test("isSeparable() keeps small bodies and small parts of large buffers from being kept as they are", () => {
  const buffer = new Uint8Array(64 * 1024);
  equal(isSeparable(buffer), true);
  equal(isSeparable(buffer.subarray(0, 32 * 1024)), true);
  equal(isSeparable(buffer.subarray(1, 32 * 1024)), false);
  equal(isSeparable(new Uint8Array(8 * 1024 - 1)), false);
});
