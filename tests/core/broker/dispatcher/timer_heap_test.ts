/** Tests of the heap of due times. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { type HeapEntry, TimerHeap } from "../../../../core/broker/dispatcher/timer_heap.ts";

Deno.test("TimerHeap.first() is the entry due first, whatever was armed, moved and disarmed", () => {
  const operation = fc.record({ entry: fc.nat(7), dueMs: fc.option(fc.nat(20)) });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const heap = new TimerHeap<HeapEntry>();
      const entries = Array.from({ length: 8 }, (): HeapEntry => ({ dueMs: Infinity, heapIndex: -1 }));
      const armed = new Map<HeapEntry, number>();
      for (const { entry: number, dueMs } of operations) {
        const entry = entries[number]!;
        if (dueMs === null) heap.disarm(entry), armed.delete(entry);
        else heap.arm(entry, dueMs), armed.set(entry, dueMs);
        assert.equal(heap.size, armed.size);
        assert.equal(heap.first()?.dueMs ?? null, armed.size === 0 ? null : Math.min(...armed.values()));
      }
    }),
    { numRuns: 50 },
  );
});

Deno.test("TimerHeap.arm() disarms an entry that is never due", () => {
  const heap = new TimerHeap<HeapEntry>();
  const entry = { dueMs: 0, heapIndex: -1 };
  heap.arm(entry, 5);
  heap.arm(entry, Infinity);
  assert.equal(heap.first(), null);
  assert.equal(entry.heapIndex, -1);
});
