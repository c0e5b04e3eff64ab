/** Tests of how long a slot is used. */

import { strictEqual } from "node:assert/strict";
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
