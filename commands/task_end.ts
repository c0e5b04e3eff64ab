/** The end of a task as `submit` and `run` report it. */

import type { TaskResult } from "../core/client/task_request.ts";
import type { Logger } from "../core/log.ts";
import type { Outcome } from "../core/outcome.ts";
import { interruptStatus } from "./interrupt.ts";
import { traceTable } from "./trace_table.ts";

/** A task that ended before anything ran: it has no id and no attempts. */
export function unstarted(outcome: Outcome): TaskResult {
  return { task: "", outcome, provider: "", attempts: 0, queuedMs: 0, durationMs: 0 };
}

/** The end with the status that the shell expects when a signal to us was the cause. */
export function withSignalStatus(end: TaskResult, signal: AbortSignal): TaskResult {
  if (end.outcome.reason !== "cancelled" || !signal.aborted) return end;
  return { ...end, outcome: { ...end.outcome, status: interruptStatus(signal.reason) } };
}

/** Says what happened when it was not the guest's own exit. */
export function reportTaskEnd({ outcome, trace: _, ...end }: TaskResult, log: Logger): void {
  const { reason, message } = outcome;
  if (reason !== "exit") {
    // The traceback of a Python program has several lines.
    for (const line of (message || `the task ended: ${reason}`).split("\n")) log.error(line, { reason });
  }
  log.debug("the task has ended", { ...end, reason });
}

/** Shows where the task was when, if that is known. */
export function reportTrace({ trace }: TaskResult, log: Logger): void {
  if (trace === undefined) return;
  for (const line of traceTable(trace)) log.info(line);
}
