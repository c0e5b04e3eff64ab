/** Tests of how slots come to their end: by wear, and for which of several reasons. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { exited } from "../../../core/outcome.ts";
import { MAX_TASKS, PipedSlot } from "../../../core/provider/piped_slot.ts";
import { FRAME } from "../../../core/provider/slot_protocol.ts";
import { ScriptedProcess } from "../../support/scripted_slot.ts";
import { collectingIo, guestTask } from "../../support/slot_tasks.ts";

Deno.test("PipedSlot.usable ends after so many tasks", async () => {
  const done = JSON.stringify({
    ...{ outcome: exited(0), durationMs: 1, memoryBytes: 65536, rssBytes: 0, keptBytes: 0 },
  });
  const process = new ScriptedProcess();
  process.say(FRAME.READY);
  const slot = await PipedSlot.start(process);
  const task = guestTask([]);
  let tasks = 0;
  for (; slot.usable && tasks <= MAX_TASKS; tasks++) {
    const running = slot.run(task, collectingIo(), new AbortController().signal);
    process.say(FRAME.DONE, done);
    await running;
    process.received.length = 0;
  }
  strictEqual(tasks, MAX_TASKS);
});

Deno.test("the first reason to kill a slot is the one that is told", async () => {
  const process = new ScriptedProcess();
  // It takes a while until it is gone.
  const dying = Promise.withResolvers<void>();
  process.kill = async () => {
    await dying.promise;
    process.exit("signal SIGKILL");
  };
  process.say(FRAME.READY);
  const slot = await PipedSlot.start(process);
  const io = collectingIo();
  const result = slot.run(guestTask([], { limits: { outputBytes: 4 } }), io, new AbortController().signal);
  process.say(FRAME.STDOUT, "12345");
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  const closed = slot.close();
  dying.resolve();
  await closed;
  const { outcome } = await result;
  deepStrictEqual([outcome.reason, outcome.status, io.stdout.text], ["limit", 125, "1234"]);
  strictEqual(slot.usable, false);
});
