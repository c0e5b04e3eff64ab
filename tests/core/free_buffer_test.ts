import { deepEqual } from "node:assert/strict";
import { freeBuffer } from "../../core/free_buffer.ts";

Deno.test("freeBuffer() leaves views that are empty, and does nothing the second time or to shared memory", () => {
  const view = new Uint8Array(1_000).subarray(5);
  const { buffer } = view;
  const shared = new Uint8Array(new SharedArrayBuffer(10));
  for (const each of [buffer, buffer, shared.buffer]) freeBuffer(each);
  deepEqual([view.length, buffer.byteLength, shared.length], [0, 0, 10]);
});
