/** Tests of the frames between a provider and its slots. */

import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  decodeNumber,
  encodeFrame,
  encodeNumber,
  FRAME,
  FrameDecoder,
  MAX_FRAME_BYTES,
} from "../../../core/provider/slot_protocol.ts";

const types = fc.constantFrom(...Object.values(FRAME));
const frames = fc.array(fc.record({ type: types, payload: fc.uint8Array({ maxLength: 40 }) }), {
  maxLength: 6,
});

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

Deno.test("encodeFrame() puts length and type before the payload", () => {
  deepStrictEqual([...encodeFrame(FRAME.STDOUT, new Uint8Array([7, 8]))], [0, 0, 0, 2, 19, 7, 8]);
  deepStrictEqual([...encodeFrame(FRAME.READY)], [0, 0, 0, 0, 16]);
  deepStrictEqual([...encodeNumber(FRAME.CREDIT, 0x01020304)], [0, 0, 0, 4, 22, 1, 2, 3, 4]);
});

Deno.test("FrameDecoder.push() finds the frames wherever the bytes are split", () => {
  fc.assert(
    fc.property(frames, (sent) => {
      const bytes = joined(sent.map(({ type, payload }) => encodeFrame(type, payload)));
      for (let size = 1; size <= bytes.length; size++) {
        const decoder = new FrameDecoder();
        const got = [];
        for (let at = 0; at < bytes.length; at += size) got.push(...decoder.push(bytes.slice(at, at + size)));
        deepStrictEqual(
          got.map(({ type, payload }) => [type, ...payload]),
          sent.map(({ type, payload }) => [type, ...payload]),
        );
      }
    }),
    { numRuns: 30 },
  );
});

Deno.test("FrameDecoder.push() gives payloads that do not change with the buffer", () => {
  const buffer = encodeFrame(FRAME.STDIN, new Uint8Array([1, 2, 3]));
  const [frame] = new FrameDecoder().push(buffer);
  buffer.fill(0);
  deepStrictEqual([...frame!.payload], [1, 2, 3]);
});

Deno.test("FrameDecoder.push() takes the largest frame and refuses the next size from its header alone", () => {
  const [frame] = new FrameDecoder().push(encodeFrame(FRAME.FILE_CHUNK, new Uint8Array(MAX_FRAME_BYTES)));
  strictEqual(frame!.payload.length, MAX_FRAME_BYTES);
  throws(() => new FrameDecoder().push(new Uint8Array([0, 0x10, 0, 1, FRAME.STDOUT])), {
    code: "internal",
    message: /a frame has 1048577 bytes, more than 1048576/,
  });
  throws(() => encodeFrame(FRAME.STDOUT, new Uint8Array(MAX_FRAME_BYTES + 1)), RangeError);
});

Deno.test("FrameDecoder.push() refuses a type that nobody knows", () => {
  throws(() => new FrameDecoder().push(new Uint8Array([0, 0, 0, 0, 99])), {
    code: "internal",
    message: /unknown frame type 99/,
  });
});

Deno.test("decodeNumber() refuses any other size than four bytes", () => {
  strictEqual(decodeNumber(new Uint8Array([0, 1, 0, 2])), 65538);
  for (const size of [0, 3, 5]) throws(() => decodeNumber(new Uint8Array(size)), { code: "internal" });
});
