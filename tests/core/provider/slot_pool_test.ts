/** Tests of the pool with slots that do what the test says. */

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { install } from "@sinonjs/fake-timers";
import { WasimoffError } from "../../../core/errors.ts";
import { silent } from "../../../core/log.ts";
import { MAX_POOL_SIZE, REPLACE_WAIT_MS, SlotPool } from "../../../core/provider/slot_pool.ts";
import { FakeSlot } from "../../support/fake_slots.ts";
import { collectingIo, fileOf, guestTask } from "../../support/slot_tasks.ts";
import { settle } from "../../support/settle.ts";

const never = new AbortController().signal;
const task = (seed = 0) => guestTask([], { module: fileOf(new Uint8Array([seed])) });

/** A pool of fakes; `gate` decides whether a start succeeds. */
async function openPool(size: number, gate: (start: number) => Promise<void> = () => Promise.resolve()) {
  const slots: FakeSlot[] = [];
  let starts = 0;
  const start = async () => {
    await gate(starts++);
    const slot = new FakeSlot();
    slots.push(slot);
    return slot;
  };
  const pool = await SlotPool.open({ size, start, logger: silent, random: () => 1 });
  const run = (seed = 0) => pool.run(task(seed), collectingIo(), never);
  return { pool, slots, run, started: () => starts };
}

Deno.test("SlotPool.run() gives each task a slot of its own and refuses one too many at once", async () => {
  const { pool, slots, run } = await openPool(2);
  deepStrictEqual([pool.slots, pool.idle], [2, 2]);
  const runs = [run(), run()];
  strictEqual(pool.idle, 0);
  await rejects(run(), { code: "resource_exhausted", message: "cannot run a task: no slot is free" });
  slots.forEach((slot, index) => slot.finish({ status: index }));
  deepStrictEqual((await Promise.all(runs)).map(({ outcome }) => outcome.status), [0, 1]);
  strictEqual(pool.idle, 2);
  await pool.close();
});

Deno.test("SlotPool.run() prefers the idle slot that knows the module", async () => {
  const { pool, slots, run } = await openPool(2);
  const runs = [run(1), run(2)];
  slots.forEach((slot) => slot.finish());
  await Promise.all(runs);
  for (const seed of [2, 2, 1, 2]) {
    const next = run(seed);
    slots.forEach((slot) => slot.finish());
    await next;
  }
  const [one, two] = [task(1).module.ref, task(2).module.ref];
  deepStrictEqual(slots.map(({ ran }) => ran), [[one, one], [two, two, two, two]]);
  await pool.close();
});

Deno.test("SlotPool.run() prefers the idle slot that knows the ZIPs to the one that knows the module", async () => {
  const { pool, slots } = await openPool(3);
  const preopens = [{ guest: "/", zip: fileOf(new Uint8Array([7])), readOnly: false }];
  const tasks = [task(1), guestTask([], { module: task(2).module, preopens }), task(3)];
  const runs = tasks.map((one) => pool.run(one, collectingIo(), never));
  slots.forEach((slot) => slot.finish());
  await Promise.all(runs);
  const next = pool.run(guestTask([], { module: task(1).module, preopens }), collectingIo(), never);
  deepStrictEqual(slots.map(({ busy }) => busy), [false, true, false]);
  slots[1]!.finish();
  await next;
  await pool.close();
});

Deno.test("SlotPool replaces a worn slot, and a task waits for the new one", async () => {
  const { pool, slots, run } = await openPool(1);
  const first = run();
  slots[0]!.finish({ worn: true });
  await first;
  strictEqual(pool.idle, 1);
  const second = run();
  await settle();
  strictEqual(slots.length, 2);
  slots[1]!.finish({ status: 4 });
  strictEqual((await second).outcome.status, 4);
  await pool.close();
});

Deno.test("SlotPool replaces a slot that died under its task, and the task is told", async () => {
  const { pool, slots, run } = await openPool(1);
  const first = run();
  slots[0]!.die();
  strictEqual((await first).outcome.reason, "trap");
  await settle();
  strictEqual(slots.length, 2);
  strictEqual(pool.idle, 1);
  await pool.close();
});

Deno.test("SlotPool waits longer and longer for slots that die before they ran anything", async () => {
  const clock = install();
  try {
    const { pool, slots } = await openPool(1);
    for (const [deaths, waitMs] of [[1, 100], [2, 200], [3, 400]] as const) {
      slots.at(-1)!.die();
      await clock.tickAsync(waitMs - 1);
      strictEqual(slots.length, deaths);
      strictEqual(pool.idle, 0);
      await clock.tickAsync(1);
      strictEqual(slots.length, deaths + 1);
      strictEqual(pool.idle, 1);
    }
    await pool.close();
  } finally {
    clock.uninstall();
  }
});

Deno.test("SlotPool tries again with backoff when a replacement does not start", async () => {
  const clock = install();
  try {
    const fails = (start: number) => {
      return start === 1 || start === 2 ? Promise.reject(new Error("no memory")) : Promise.resolve();
    };
    const { pool, slots, run, started } = await openPool(1, fails);
    const first = run();
    slots[0]!.finish({ worn: true });
    await first;
    await clock.tickAsync(0);
    deepStrictEqual([started(), pool.idle], [2, 0]);
    await rejects(run(), { code: "resource_exhausted" });
    await clock.tickAsync(100);
    deepStrictEqual([started(), pool.idle], [3, 0]);
    await clock.tickAsync(200);
    deepStrictEqual([started(), pool.idle], [4, 1]);
    await pool.close();
  } finally {
    clock.uninstall();
  }
});

Deno.test("SlotPool.run() rejects with unavailable when the replacement takes too long", async () => {
  const clock = install();
  try {
    const stuck = Promise.withResolvers<void>();
    const { pool, slots, run } = await openPool(
      1,
      (start) => start === 1 ? stuck.promise : Promise.resolve(),
    );
    const first = run();
    slots[0]!.finish({ worn: true });
    await first;
    const second = run();
    const refused = rejects(second, { code: "unavailable" });
    await clock.tickAsync(REPLACE_WAIT_MS);
    await refused;
    stuck.resolve();
    await settle();
    strictEqual(pool.idle, 1);
    await pool.close();
  } finally {
    clock.uninstall();
  }
});

Deno.test("SlotPool.run() stops waiting for a slot when its signal is aborted", async () => {
  const stuck = Promise.withResolvers<void>();
  const { pool, slots, run } = await openPool(1, (start) => start === 1 ? stuck.promise : Promise.resolve());
  const first = run();
  slots[0]!.finish({ worn: true });
  await first;
  const abort = new AbortController();
  const second = pool.run(task(), collectingIo(), abort.signal);
  const reason = new WasimoffError("canceled", "client has gone");
  abort.abort(reason);
  await rejects(second, reason);
  stuck.resolve();
  await settle();
  await pool.close();
});

Deno.test("SlotPool.close() ends all slots, and run() refuses afterwards", async () => {
  const { pool, slots, run } = await openPool(2);
  const busy = rejects(run(), { code: "unavailable" });
  await pool.close();
  await busy;
  deepStrictEqual(slots.map(({ usable }) => usable), [false, false]);
  strictEqual(slots.length, 2);
  await rejects(run(), { code: "unavailable" });
});

Deno.test("SlotPool.open() closes what has started when one slot does not", async () => {
  const slots: FakeSlot[] = [];
  const cause = new WasimoffError("unavailable", "cannot start a slot");
  const start = () => {
    if (slots.length === 1) return Promise.reject(cause);
    slots.push(new FakeSlot());
    return Promise.resolve(slots[0]!);
  };
  await rejects(SlotPool.open({ size: 2, start, logger: silent }), cause);
  deepStrictEqual(slots.map(({ usable }) => usable), [false]);
  await rejects(SlotPool.open({ size: 0, start, logger: silent }), RangeError);
});

Deno.test("SlotPool.run() loses no slot that starts in the same turn as its task is cancelled", async () => {
  const clock = install({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    for (let gap = 0; gap < 10; gap++) {
      const gates = [Promise.resolve(), Promise.withResolvers<void>().promise, Promise.resolve()];
      const restart = Promise.withResolvers<void>();
      gates[1] = restart.promise;
      const { pool, slots, run } = await openPool(1, (start) => gates[start] ?? Promise.resolve());
      const worn = run();
      slots[0]!.finish({ worn: true });
      await worn;
      const cancel = new AbortController();
      const waiting = pool.run(task(), collectingIo(), cancel.signal).catch((error) => error.code);
      await settle();
      cancel.abort(new WasimoffError("canceled", "client has left"));
      for (let turn = 0; turn < gap; turn++) await Promise.resolve();
      restart.resolve();
      await settle();
      strictEqual(await waiting, "canceled");
      const next = run();
      await settle();
      slots.at(-1)!.finish({ status: 7 });
      await clock.tickAsync(REPLACE_WAIT_MS);
      strictEqual((await next).outcome.status, 7, `after ${gap} turns`);
      await pool.close();
    }
  } finally {
    clock.uninstall();
  }
});

Deno.test("SlotPool.open() starts none of more slots than a machine can have", async () => {
  let starts = 0;
  const start = () => Promise.resolve((starts++, new FakeSlot()));
  await rejects(SlotPool.open({ size: MAX_POOL_SIZE + 1, start, logger: silent }), {
    code: "invalid_argument",
    message: "cannot run 1025 tasks at once: give at most 1024",
  });
  strictEqual(starts, 0);
});
