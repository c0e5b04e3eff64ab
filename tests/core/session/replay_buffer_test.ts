import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { ReplayBuffer } from "../../../core/session/replay_buffer.ts";

const frame = (number: number) => Uint8Array.of(number & 255, number >> 8);

Deno.test("ReplayBuffer gives back every unacknowledged frame by its number and no other", () => {
  const buffer = new ReplayBuffer();
  for (let i = 0; i < 5; i++) buffer.push(frame(i));
  buffer.acknowledge(2);
  deepEqual([2, 3, 4].map((number) => buffer.take(number)[0]), [2, 3, 4]);
  throws(() => buffer.take(1), RangeError);
  throws(() => buffer.take(5), RangeError);
  deepEqual([buffer.acknowledged, buffer.sent], [2, 5]);
});

Deno.test("ReplayBuffer.bytes counts the bytes and a cost for each frame, and returns to 0", () => {
  const buffer = new ReplayBuffer();
  buffer.push(new Uint8Array(1_000));
  buffer.push(new Uint8Array(0));
  equal(buffer.bytes, 1_000 + 2 * 256);
  buffer.acknowledge(1);
  equal(buffer.bytes, 256);
  buffer.acknowledge(2);
  equal(buffer.bytes, 0);
});

Deno.test("ReplayBuffer.acknowledge() takes the same count twice and refuses impossible ones unharmed", () => {
  const buffer = new ReplayBuffer();
  for (let i = 0; i < 3; i++) buffer.push(frame(i));
  buffer.acknowledge(2);
  buffer.acknowledge(2);
  for (const count of [1, 4, 2 ** 53]) throws(() => buffer.acknowledge(count), { code: "invalid_argument" });
  equal(buffer.take(2)[0], 2);
});

Deno.test("ReplayBuffer holds what a plain array would, through any pushes and acknowledgements", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(200), fc.nat(200)), { maxLength: 30 }), (steps) => {
      const buffer = new ReplayBuffer();
      let sent = 0;
      let acked = 0;
      for (const [pushes, acknowledged] of steps) {
        for (let i = 0; i < pushes; i++) buffer.push(frame(sent++));
        acked = Math.min(sent, acked + acknowledged);
        buffer.acknowledge(acked);
        equal(buffer.sent, sent);
        equal(buffer.bytes, (sent - acked) * 258);
        if (acked < sent) {
          deepEqual([buffer.take(acked), buffer.take(sent - 1)], [frame(acked), frame(sent - 1)]);
        }
      }
    }),
    { numRuns: 50 },
  );
});

Deno.test("ReplayBuffer.canHaveReceived() knows what was taken at any time, on whatever connection", () => {
  const buffer = new ReplayBuffer();
  for (let i = 0; i < 4; i++) buffer.push(frame(i));
  for (let i = 0; i < 3; i++) buffer.take(i);
  buffer.acknowledge(1);
  buffer.take(1);
  deepEqual([0, 1, 3, 4].map((count) => buffer.canHaveReceived(count)), [false, true, true, false]);
});

Deno.test("ReplayBuffer keeps a body with its frame, counts it, and forgets both together", () => {
  const buffer = new ReplayBuffer();
  const body = new Uint8Array(10_000);
  buffer.push(frame(0));
  buffer.push(frame(1), body);
  buffer.push(frame(2));
  equal(buffer.bytes, 10_006 + 3 * 256);
  deepEqual([0, 1, 2].map((index) => buffer.bodyOf(index) === body), [false, true, false]);
  buffer.acknowledge(1);
  equal(buffer.bodyOf(1), body);
  buffer.acknowledge(2);
  deepEqual([buffer.bodyOf(1), buffer.bytes], [undefined, 2 + 256]);
  buffer.push(frame(3), body);
  buffer.clear();
  deepEqual([buffer.bodyOf(0), buffer.bodyOf(3), buffer.bytes], [undefined, undefined, 0]);
});
