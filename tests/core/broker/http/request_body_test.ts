import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { install } from "@sinonjs/fake-timers";
import { type BodySource, MAX_HELD_MS, RequestBody } from "../../../../core/broker/http/request_body.ts";
import { MemoryBudget } from "../../../../core/broker/memory_budget.ts";

const STEP_MS = 30_000;

/** A body that brings a byte now and then, and never ends. */
function trickle(): BodySource {
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) =>
      new Promise((resolve) =>
        setTimeout(() => {
          controller.enqueue(new Uint8Array(1));
          resolve();
        }, STEP_MS)
      ),
  }, { highWaterMark: 0 });
  const { signal } = new AbortController();
  return {
    headers: new Headers(),
    body,
    signal,
    arrayBuffer: () => Promise.reject(new TypeError("endless")),
  };
}

Deno.test("RequestBody gives up a body that trickles into memory, and gives back its share", async () => {
  const clock = install();
  try {
    const budget = new MemoryBudget(1_000);
    const body = new RequestBody(trickle(), { budget });
    const read = body.bytes();
    const refused = rejects(read, { code: "deadline_exceeded" });
    await clock.tickAsync(MAX_HELD_MS - 1);
    strictEqual(budget.taken, MAX_HELD_MS / STEP_MS - 1);
    await clock.tickAsync(STEP_MS);
    await refused;
    body[Symbol.dispose]();
    strictEqual(budget.taken, 0);
  } finally {
    clock.uninstall();
  }
});

Deno.test("RequestBody lets a body that goes to disk take as long as it brings something", async () => {
  const clock = install();
  try {
    using body = new RequestBody(trickle());
    const chunks = body[Symbol.asyncIterator]();
    const got: number[] = [];
    const reading = (async () => {
      while (got.length < 2 * MAX_HELD_MS / STEP_MS) got.push((await chunks.next()).value!.length);
    })();
    await clock.tickAsync(2 * MAX_HELD_MS);
    await reading;
    deepStrictEqual(new Set(got), new Set([1]));
  } finally {
    clock.uninstall();
  }
});
