/** Attempts: placing one, giving its slot back, ending it early. */

import { WasimoffError } from "../../errors.ts";
import { cancelledWaiting, finish } from "./ending.ts";
import type { AttemptId, ProviderId } from "./event.ts";
import { dequeue, whyUnserved } from "./lanes.ts";
import { ATTEMPT_GRACE_MS, CANCEL_ACK_MS } from "./limits.ts";
import type { Attempt, Provider, Task } from "./records.ts";
import type { DispatcherState, Step } from "./state.ts";

/** Gives a task that does not wait to an available provider, whose listing the caller brings up to date. */
export function start({ state, nowMs, effects }: Step, task: Task, provider: Provider): void {
  const attempt: Attempt = {
    kind: "attempt",
    id: state.options.attemptPrefix + ++state.lastAttempt,
    provider,
    task,
    cancelled: null,
    dueMs: Infinity,
    heapIndex: -1,
  };
  state.attempts.set(attempt.id, attempt);
  provider.attempts.add(attempt);
  task.attempt = attempt;
  task.attempts++;
  task.startedMs = nowMs;
  task.lastProvider = provider.id;
  state.totals.placed++;
  const limitMs = Math.min(task.spec.timeoutMs ?? Infinity, provider.taskTimeoutMs);
  state.timers.arm(attempt, nowMs + limitMs + ATTEMPT_GRACE_MS);
  const placed = { task: task.id, attempt: attempt.id, provider: provider.id };
  state.options.log.append({ kind: "placed", atMs: nowMs, ...placed });
  effects.push({ kind: "start", ...placed });
}

/** Gives the attempt's slot back; its id is unknown from now on. */
export function release(state: DispatcherState, attempt: Attempt): void {
  state.attempts.delete(attempt.id);
  attempt.provider.attempts.delete(attempt);
  state.timers.disarm(attempt);
}

/** Takes a report: gives the slot back. Null, and counted, when the attempt is not this provider's. */
export function take(state: DispatcherState, id: AttemptId, from: ProviderId): Attempt | null {
  const attempt = state.attempts.get(id);
  if (attempt === undefined || attempt.provider.id !== from) {
    state.totals.ignored++;
    return null;
  }
  release(state, attempt);
  return attempt;
}

/** Asks the provider to stop an attempt; what becomes of its task is the caller's. */
export function stop({ state, nowMs, effects }: Step, attempt: Attempt, reason: WasimoffError): void {
  attempt.cancelled = reason;
  state.timers.arm(attempt, nowMs + CANCEL_ACK_MS);
  effects.push({ kind: "cancelAttempt", attempt: attempt.id, provider: attempt.provider.id, reason });
}

/** Ends a task early: at once when it waits, else when its attempt is over. The first reason stays. */
export function cancel(step: Step, task: Task, reason: WasimoffError): void {
  if (task.attempt === null) {
    const why = task.group.serving === 0 ? whyUnserved(step.state, task) : "every matching provider is busy";
    dequeue(step.state, task);
    finish(step, task, cancelledWaiting(reason, why));
  } else if (task.attempt.cancelled === null) {
    step.state.timers.disarm(task);
    stop(step, task.attempt, reason);
  }
}

/** The reason to end a task whose deadline has come. */
export function deadlinePassed(): WasimoffError {
  return new WasimoffError("deadline_exceeded", "the deadline has passed");
}
