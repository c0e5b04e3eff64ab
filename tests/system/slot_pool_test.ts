/** Tests of a pool of real slots. */

import { strictEqual } from "node:assert/strict";
import { silent } from "../../core/log.ts";
import { MAX_TASKS } from "../../core/provider/piped_slot.ts";
import { SlotPool } from "../../core/provider/slot_pool.ts";
import { isAlive, openRealSlots, until } from "../support/real_slots.ts";
import { collectingIo, guestTask } from "../support/slot_tasks.ts";

const never = new AbortController().signal;

Deno.test("SlotPool replaces a slot that was killed under its task", async () => {
  await using slots = openRealSlots();
  const pool = await SlotPool.open({ size: 1, start: slots.start, logger: silent });
  const io = collectingIo();
  const run = pool.run(guestTask(["loop"]), io, never);
  await io.stdout.first.promise;
  Deno.kill(slots.pids[0]!, "SIGKILL");
  strictEqual((await run).outcome.reason, "trap");
  const { outcome } = await pool.run(guestTask(["exit", "6"]), collectingIo(), never);
  strictEqual(outcome.status, 6);
  strictEqual(slots.pids.length, 2);
  await pool.close();
  strictEqual(isAlive(slots.pids[1]!), false);
});

Deno.test("SlotPool replaces a slot that was killed while idle", async () => {
  await using slots = openRealSlots();
  const pool = await SlotPool.open({ size: 1, start: slots.start, logger: silent });
  await pool.run(guestTask(["exit", "0"]), collectingIo(), never);
  Deno.kill(slots.pids[0]!, "SIGKILL");
  await until(() => slots.pids.length === 2);
  const { outcome } = await pool.run(guestTask(["exit", "6"]), collectingIo(), never);
  strictEqual(outcome.status, 6);
  await pool.close();
});

Deno.test("SlotPool replaces a slot after its last task, without losing one", async () => {
  await using slots = openRealSlots();
  const pool = await SlotPool.open({ size: 1, start: slots.start, logger: silent });
  for (let task = 0; task <= MAX_TASKS; task++) {
    strictEqual(slots.pids.length, 1);
    const { outcome } = await pool.run(guestTask(["exit", "1"]), collectingIo(), never);
    strictEqual(outcome.status, 1);
  }
  strictEqual(slots.pids.length, 2);
  strictEqual(isAlive(slots.pids[0]!), false);
  await pool.close();
});
