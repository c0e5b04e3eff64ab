import assert from "node:assert/strict";
import { SeededRandom } from "../../../core/wasi/seeded_random.ts";

Deno.test("SeededRandom.fill() gives the words of xoshiro128**, lowest byte first", () => {
  const bytes = new Uint8Array(40);
  new SeededRandom([1, 2, 3, 4]).fill(bytes);
  const view = new DataView(bytes.buffer);
  const words = Array.from({ length: 10 }, (_, index) => view.getUint32(index * 4, true));
  // What the program of its authors prints for this seed.
  assert.deepEqual(words, [
    ...[11520, 0, 5927040, 70819200, 2031721883],
    ...[1637235492, 1287239034, 3734860849, 3729100597, 4258142804],
  ]);
});

Deno.test("SeededRandom.fill() goes on where it stopped, and fills to the last byte", () => {
  const random = new SeededRandom([1, 2, 3, 4]);
  const bytes = new Uint8Array(5);
  random.fill(bytes);
  assert.deepEqual([...bytes], [0x00, 0x2d, 0, 0, 0]);
  random.fill(new Uint8Array(0));
  random.fill(bytes);
  // The third and the fourth word: 0x005a7080, 0x04389d80.
  assert.deepEqual([...bytes], [0x80, 0x70, 0x5a, 0x00, 0x80]);
});

Deno.test("SeededRandom.fill() gives every byte value about as often as the others", () => {
  const bytes = new Uint8Array(65_536);
  new SeededRandom([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344]).fill(bytes);
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte]! += 1;
  // 256 expected, with a standard deviation of 16.
  assert(counts.every((count) => count > 176 && count < 336), counts.join());
});
