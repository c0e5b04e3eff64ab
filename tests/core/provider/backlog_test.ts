import assert from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import { exited } from "../../../core/outcome.ts";
import { Backlog, BACKLOG_PER_SLOT, MAX_WAIT_MS, SHORT_TASK_MS } from "../../../core/provider/backlog.ts";
import type { SlotIo, SlotResult, SlotTask } from "../../../core/provider/slot.ts";
import { fakeClock } from "../../support/session_pair.ts";
import { settle } from "../../support/settle.ts";

const TASK = {} as SlotTask; // nothing here looks into it
const IO = {} as SlotIo;
const RESULT: SlotResult = { outcome: exited(0), durationMs: 0, memoryBytes: 0 };

/** A backlog whose tasks end when the test says so. */
function setUp(slots: number) {
  const changes: number[] = [];
  const running: PromiseWithResolvers<SlotResult>[] = [];
  let most = 0;
  const backlog = new Backlog({
    slots,
    runInSlot: () => {
      const run = Promise.withResolvers<SlotResult>();
      running.push(run);
      most = Math.max(most, running.length);
      return run.promise;
    },
    onChange: (room) => changes.push(room),
  });
  const never = new AbortController().signal;
  return {
    backlog,
    changes,
    running,
    most: () => most,
    run: (signal = never) => backlog.run(TASK, IO, signal),
    finish: async () => {
      running.shift()!.resolve(RESULT);
      await settle();
    },
  };
}

/** Runs short tasks one after the other until the backlog has opened. */
async function open(setup: ReturnType<typeof setUp>): Promise<void> {
  for (let i = 0; setup.changes.length === 0; i++) {
    assert.ok(i < 100, "it never opened");
    const run = setup.run();
    await setup.finish();
    await run;
  }
}

Deno.test("Backlog lets nothing wait before tasks have been short", async () => {
  using _clock = fakeClock();
  const setup = setUp(1);
  const first = setup.run();
  await assert.rejects(setup.run(), { code: "resource_exhausted" });
  await setup.finish();
  assert.equal(await first, RESULT);
  assert.deepEqual(setup.changes, []);
});

Deno.test("Backlog opens when tasks are short, and runs those that wait in turn, never more than slots", async () => {
  using _clock = fakeClock();
  const setup = setUp(2);
  await open(setup);
  assert.deepEqual(setup.changes, [2 * BACKLOG_PER_SLOT]);
  const runs = Array.from({ length: 2 + 2 * BACKLOG_PER_SLOT }, () => setup.run());
  await assert.rejects(setup.run(), { code: "resource_exhausted" }, "there is a bound");
  assert.equal(setup.backlog.waiting, 2 * BACKLOG_PER_SLOT);
  while (setup.running.length > 0) await setup.finish();
  assert.deepEqual(await Promise.all(runs), runs.map(() => RESULT));
  assert.equal(setup.most(), 2);
});

Deno.test("Backlog sends back what waits behind a task that is not short, and says so first", async () => {
  using clock = fakeClock();
  const setup = setUp(1);
  await open(setup);
  const long = setup.run();
  const order: string[] = [];
  const waiting = setup.run().catch((error) => {
    order.push(`${error.code} after ${setup.changes.at(-1)}`);
  });
  await clock.tick(2 * MAX_WAIT_MS);
  await waiting;
  assert.deepEqual(order, ["resource_exhausted after 0"]);
  await assert.rejects(setup.run(), { code: "resource_exhausted" });
  await setup.finish();
  assert.equal(await long, RESULT);
});

Deno.test("Backlog closes when tasks are no longer short on average", async () => {
  using clock = fakeClock();
  const setup = setUp(1);
  await open(setup);
  for (let i = 0; i < 30 && setup.changes.length < 2; i++) {
    const run = setup.run();
    await clock.tick(2 * SHORT_TASK_MS);
    await setup.finish();
    await run;
  }
  assert.deepEqual(setup.changes, [BACKLOG_PER_SLOT, 0]);
});

Deno.test("Backlog lets a cancelled task leave, and the others keep their turn", async () => {
  using _clock = fakeClock();
  const setup = setUp(1);
  await open(setup);
  const first = setup.run();
  const cancel = new AbortController();
  const cancelled = setup.run(cancel.signal);
  const last = setup.run();
  const reason = new WasimoffError("canceled", "enough");
  cancel.abort(reason);
  await assert.rejects(cancelled, reason);
  await setup.finish();
  await setup.finish();
  assert.deepEqual(await Promise.all([first, last]), [RESULT, RESULT]);
  assert.equal(setup.backlog.waiting, 0);
});
