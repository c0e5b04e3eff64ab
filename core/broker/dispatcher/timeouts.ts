/** What happens when time has passed: deadlines, attempts that do not end, tasks nobody can run. */

import { cancel, deadlinePassed, stop } from "./attempts.ts";
import { cancelledRunning, detach, type Ending, finish, lost, named, rejected } from "./ending.ts";
import { dequeue, queueTimeoutMs, whyUnserved } from "./lanes.ts";
import { CANCEL_ACK_MS, MAX_DUE_PER_TICK } from "./limits.ts";
import type { Attempt, Lane, Task } from "./records.ts";
import { forgive, overdue, retry } from "./retry.ts";
import { ofDeath } from "./slot_deaths.ts";
import type { DispatcherState, Step } from "./state.ts";

/** Handles what is due; when there is too much of it, the next wake is due at once. */
export function tick(step: Step): void {
  const { state, nowMs } = step;
  for (let handled = 0; handled < MAX_DUE_PER_TICK; handled++) {
    const due = state.timers.first();
    if (due === null || due.dueMs > nowMs) return;
    state.timers.disarm(due);
    switch (due.kind) {
      case "task":
        cancel(step, due, deadlinePassed());
        break;
      case "attempt":
        giveUp(step, due);
        break;
      case "lane":
        expire(step, due);
        break;
      default:
        due satisfies never;
    }
  }
}

/** The slot stays taken until the provider answers or leaves. */
function giveUp(step: Step, attempt: Attempt): void {
  const task = detach(attempt);
  if (task === null) return;
  const who = named(attempt.provider);
  if (attempt.cancelled !== null) {
    const how = `${who} did not acknowledge within ${CANCEL_ACK_MS / 1000} s`;
    return finish(step, task, cancelledRunning(attempt.cancelled, how));
  }
  stop(step, attempt, overdue());
  const cause = `${who} did not end the task within its timeout`;
  retry(step, task, { code: "deadline_exceeded", cause, avoid: attempt.provider });
}

/** Forgives or ends the first task that has waited too long for anybody who could run it; the lane's timer goes on. */
function expire(step: Step, lane: Lane): void {
  const { state, nowMs } = step;
  if (queueTimeoutMs(state, lane) <= nowMs) {
    const task = longestWaiting(lane);
    dequeue(state, task);
    if (!forgive(step, task)) finish(step, task, nobodyCame(state, task, lane));
  }
  if (lane.length > 0) state.timers.arm(lane, queueTimeoutMs(state, lane));
}

function longestWaiting({ priority, normal }: Lane): Task {
  if (priority.first === null) return normal.first!;
  if (normal.first === null) return priority.first;
  return priority.first.waitingMs < normal.first.waitingMs ? priority.first : normal.first;
}

function nobodyCame(state: DispatcherState, task: Task, lane: Lane): Ending {
  if (task.death !== null) return ofDeath(task.death, whyUnserved(state, lane));
  const waited = `after ${state.options.queueTimeoutMs / 1000} s in the queue: ${whyUnserved(state, lane)}`;
  return task.attempts === 0
    ? rejected("unavailable", `gave up ${waited}`)
    : lost(`${task.lastCause}, and gave up ${waited}`);
}
