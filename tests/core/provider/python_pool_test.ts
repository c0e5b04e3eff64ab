/** Tests of when Python slots start, and that none is left behind. */

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import { silent } from "../../../core/log.ts";
import { PythonPool } from "../../../core/provider/python_pool.ts";
import type { Slot } from "../../../core/provider/slot.ts";
import { FakeSlot } from "../../support/fake_slots.ts";
import { collectingIo, guestTask } from "../../support/slot_tasks.ts";
import { settle } from "../../support/settle.ts";

const never = new AbortController().signal;

/** A pool whose slots start when the test says so; the first one starts at once. */
class TestPool {
  readonly slots: FakeSlot[] = [];
  readonly #starts: PromiseWithResolvers<Slot>[] = [];
  pool!: PythonPool;

  static async open(): Promise<TestPool> {
    const test = new TestPool();
    const opened = PythonPool.open({ start: (signal) => test.#start(signal!), logger: silent });
    test.startNext();
    test.pool = await opened;
    return test;
  }

  get starting(): number {
    return this.#starts.length;
  }

  startNext(): void {
    const slot = new FakeSlot();
    this.slots.push(slot);
    this.#starts.shift()!.resolve(slot);
  }

  failNext(): void {
    this.#starts.shift()!.reject(new WasimoffError("unavailable", "no memory"));
  }

  run(signal = never) {
    const result = this.pool.run(guestTask([]), collectingIo(), signal);
    result.catch(() => {}); // each test looks at it later
    return result;
  }

  #start(signal: AbortSignal): Promise<Slot> {
    const start = Promise.withResolvers<Slot>();
    this.#starts.push(start);
    signal.addEventListener("abort", () => start.reject(signal.reason));
    return start.promise;
  }
}

Deno.test("PythonPool runs a task in the warm slot, closes it, and has warmed the next meanwhile", async () => {
  const test = await TestPool.open();
  strictEqual(test.starting, 0);
  const ran = test.run();
  await settle();
  deepStrictEqual([test.slots[0]!.busy, test.starting], [true, 1]);
  test.slots[0]!.finish({ status: 3 });
  strictEqual((await ran).outcome.status, 3);
  strictEqual(test.slots[0]!.usable, false);
  test.startNext();
  await settle();
  strictEqual(test.starting, 0);
  await test.pool.close();
  strictEqual(test.slots[1]!.usable, false);
});

Deno.test("PythonPool starts a slot for each task that finds none", async () => {
  const test = await TestPool.open();
  const ran = [test.run(), test.run(), test.run()];
  await settle();
  strictEqual(test.starting, 3);
  for (let started = 0; started < 3; started++) test.startNext();
  await settle();
  deepStrictEqual(test.slots.map(({ busy }) => busy), [true, true, true, false]);
  for (const slot of test.slots) slot.finish();
  strictEqual((await Promise.all(ran)).length, 3);
  await test.pool.close();
});

Deno.test("PythonPool leaves a slot to the next task when its own was cancelled first", async () => {
  const test = await TestPool.open();
  void test.run();
  await settle();
  const cancel = new AbortController();
  const cancelled = test.run(cancel.signal);
  await settle();
  strictEqual(test.starting, 1, "a start that a task waits for has the machine to itself");
  cancel.abort(new WasimoffError("canceled", "not wanted"));
  await rejects(cancelled, { code: "canceled", message: "not wanted" });
  void test.run();
  await settle();
  strictEqual(test.starting, 1, "the one that was asked for is enough");
  await test.pool.close();
});

Deno.test("PythonPool tells a task that its slot cannot be started, and tries again for the next", async () => {
  const test = await TestPool.open();
  void test.run();
  await settle();
  test.failNext();
  await settle();
  strictEqual(test.starting, 0);
  const second = test.run();
  await settle();
  test.failNext();
  await rejects(second, { code: "unavailable", message: "no memory" });
  await test.pool.close();
});

Deno.test("PythonPool replaces a warm slot that dies, when it is needed", async () => {
  const test = await TestPool.open();
  test.slots[0]!.die();
  await settle();
  const ran = test.run();
  await settle();
  test.startNext();
  await settle();
  test.slots[1]!.finish();
  await ran;
  await test.pool.close();
});

Deno.test("PythonPool.close() ends what starts and what runs, and run() refuses afterwards", async () => {
  const test = await TestPool.open();
  const ran = test.run();
  await settle();
  await test.pool.close();
  await rejects(ran, { code: "unavailable" });
  await rejects(test.run(), /the pool is closed/);
});

Deno.test("PythonPool.open() rejects when its first slot does not start", async () => {
  const error = new WasimoffError("unavailable", "no memory");
  await rejects(PythonPool.open({ start: () => Promise.reject(error), logger: silent }), error);
  const reason = new WasimoffError("canceled", "stop");
  const start = () => Promise.resolve(new FakeSlot());
  await rejects(PythonPool.open({ start, logger: silent }, AbortSignal.abort(reason)), reason);
});
