/** Tests of the log in memory. */

import assert from "node:assert/strict";
import { MAX_FINISHED, MemoryTaskLog } from "../../../../core/broker/dispatcher/memory_task_log.ts";
import type { FinishedEntry } from "../../../../core/broker/dispatcher/task_log.ts";
import { exited } from "../../../../core/outcome.ts";

function finished(task: string): FinishedEntry {
  return { kind: "finished", atMs: 1, task, outcome: exited(0), provider: "p", attempts: 1 };
}

Deno.test("MemoryTaskLog.finished() has the last tasks, latest first", () => {
  const log = new MemoryTaskLog(3);
  assert.deepEqual(log.finished(), []);
  for (const task of ["t1", "t2"]) log.append(finished(task));
  assert.deepEqual(log.finished().map(({ task }) => task), ["t2", "t1"]);
  for (const task of ["t3", "t4"]) log.append(finished(task));
  assert.deepEqual(log.finished().map(({ task }) => task), ["t4", "t3", "t2"]);
});

Deno.test("MemoryTaskLog keeps MAX_FINISHED tasks and nothing of unfinished ones", () => {
  const log = new MemoryTaskLog();
  log.append({ kind: "requeued", atMs: 1, task: "t", cause: "provider lost" });
  assert.deepEqual(log.finished(), []);
  for (let count = 0; count < MAX_FINISHED + 5; count++) log.append(finished(`t${count}`));
  assert.equal(log.finished().length, MAX_FINISHED);
});
