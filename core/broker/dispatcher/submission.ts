/** A task's way in: placed, waiting or refused. */

import { deadlinePassed } from "./attempts.ts";
import { cancelledWaiting, type Ending, finish, rejected } from "./ending.ts";
import type { SubmitEvent } from "./event.ts";
import { groupFor, newGroup } from "./groups.ts";
import { enqueue, whyUnserved } from "./lanes.ts";
import { MAX_GROUPS } from "./limits.ts";
import { isOver, place } from "./placement.ts";
import type { Task } from "./records.ts";
import { rejectionOf } from "./rejected_modules.ts";
import type { DispatcherState, Step } from "./state.ts";

const MIB = 1024 * 1024;

/** Throws a `TypeError` for a task id that is in use. */
export function submit(step: Step, { task: id, spec, bytes }: SubmitEvent): void {
  const { state, nowMs, effects } = step;
  if (state.tasks.has(id)) throw new TypeError(`cannot submit a task: id "${id}" is in use`);
  state.totals.submitted++;
  state.options.log.append({ kind: "submitted", atMs: nowMs, task: id, spec });
  const group = groupFor(state, spec);
  const task = createTask({ id, spec, bytes, submittedMs: nowMs, group: group ?? newGroup(spec) });
  state.tasks.set(id, task);
  if (isOver(step, task)) return finish(step, task, cancelledWaiting(deadlinePassed()));
  const rejection = rejectionOf(state, spec.module);
  if (rejection !== null) return finish(step, task, rejection);
  if (group === null) return finish(step, task, tooManyGroups());
  state.timers.arm(task, spec.deadline ?? Infinity);
  if (place(step, task)) return;
  const refusal = refusalOf(state, task);
  if (refusal !== null) return finish(step, task, refusal);
  enqueue(step, task);
  effects.push({ kind: "progress", task: id, state: "queued", detail: whyWaiting(state, task) });
}

/** Why a task that cannot be placed at once may not wait either. */
function refusalOf(state: DispatcherState, task: Task): Ending | null {
  const { maxQueue, maxQueueBytes } = state.options;
  if (task.spec.immediate) {
    return rejected("unavailable", `no idle provider: ${whyWaiting(state, task)}`);
  }
  if (state.queued >= maxQueue) return full(`${state.queued} tasks wait`);
  if (state.queuedBytes + task.bytes > maxQueueBytes) {
    return full(
      `${Math.ceil(state.queuedBytes / MIB)} MiB of ${Math.floor(maxQueueBytes / MIB)} MiB are taken`,
    );
  }
  return null;
}

function full(detail: string): Ending {
  return rejected("resource_exhausted", `queue is full: ${detail}, try again later`);
}

function tooManyGroups(): Ending {
  return full(`tasks with ${MAX_GROUPS} different requirements wait`);
}

function whyWaiting(state: DispatcherState, { group, avoid }: Task): string {
  return group.serving > 0 ? "every matching provider is busy" : whyUnserved(state, { group, avoid });
}

function createTask(known: Pick<Task, "id" | "spec" | "bytes" | "submittedMs" | "group">): Task {
  return {
    kind: "task",
    ...known,
    generation: known.group.generation,
    lane: null,
    waitingMs: 0,
    order: 0,
    attempt: null,
    attempts: 0,
    startedMs: 0,
    lastProvider: null,
    avoid: [],
    death: null,
    bounces: 0,
    unrepeatable: null,
    lastCause: "",
    previous: null,
    next: null,
    dueMs: Infinity,
    heapIndex: -1,
  };
}
