/** The one end of a task, and the words for the ends that the broker decides. */

import type { Code, WasimoffError } from "../../errors.ts";
import { failed, type Outcome } from "../../outcome.ts";
import { clipped } from "./clipped.ts";
import type { Attempt, Provider, Task } from "./records.ts";
import type { Step } from "./state.ts";

export interface Ending {
  readonly outcome: Outcome;
  readonly code?: Code;
  readonly durationMs?: number;
}

/** Forgets a task that neither waits nor runs, and tells how it ended. */
export function finish({ state, nowMs, effects }: Step, task: Task, ending: Ending): void {
  state.tasks.delete(task.id);
  state.timers.disarm(task);
  const { code = null, durationMs = 0 } = ending;
  const outcome = { ...ending.outcome, message: clipped(ending.outcome.message) };
  state.totals.finished[outcome.reason]++;
  const { id, lastProvider: provider, attempts } = task;
  state.options.log.append({ kind: "finished", atMs: nowMs, task: id, outcome, provider, attempts });
  const queuedMs = (attempts > 0 ? task.startedMs : nowMs) - task.submittedMs;
  effects.push({ kind: "finish", task: id, outcome, code, provider, attempts, queuedMs, durationMs });
}

/** The end of a task that was never run. */
export function rejected(code: Code, message: string): Ending {
  return { outcome: failed("rejected", "broker", message), code };
}

/** The end of a task whose attempts were lost. */
export function lost(message: string): Ending {
  return { outcome: failed("lost", "broker", message) };
}

/** The end of a task that waited when it was cancelled or its time was over. */
export function cancelledWaiting(reason: WasimoffError, why = ""): Ending {
  if (reason.code !== "deadline_exceeded") {
    return cancelled(reason, `cancelled while queued: ${reason.message}`);
  }
  const detail = why === "" ? reason.message : `${reason.message}, and ${why}`;
  return cancelled(reason, `timed out while queued: ${detail}`);
}

/** The end of a task that ran when it was cancelled; `how` says whether its provider let go of it. */
export function cancelledRunning(reason: WasimoffError, how: string): Ending {
  const timedOut = reason.code === "deadline_exceeded";
  return cancelled(reason, `${timedOut ? reason.message : "cancelled"}: ${how}`);
}

function cancelled(reason: WasimoffError, message: string): Ending {
  const timedOut = reason.code === "deadline_exceeded";
  return {
    outcome: timedOut ? failed("timeout", "broker", message) : failed("cancelled", "client", message),
  };
}

/** Takes a task off the attempt that ran it; the attempt keeps its slot. */
export function detach(attempt: Attempt): Task | null {
  const task = attempt.task;
  attempt.task = null;
  if (task !== null) task.attempt = null;
  return task;
}

/** A provider as messages name it. */
export function named(provider: Provider): string {
  return `provider "${provider.name}"`;
}
