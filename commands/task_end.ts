/** The end of a task as `submit` and `run` report it. */

import type { Logger } from "../core/log.ts";
import type { Outcome } from "../core/outcome.ts";
import { interruptStatus } from "./interrupt.ts";

/** The result of a task; a task that never reached a broker has an empty id and no attempts. */
export interface TaskEnd {
  readonly task: string;
  readonly outcome: Outcome;
  readonly provider: string;
  readonly attempts: number;
  readonly queuedMs: number;
  readonly durationMs: number;
}

/** A task that ended before anything ran. */
export function unstarted(outcome: Outcome): TaskEnd {
  return { task: "", outcome, provider: "", attempts: 0, queuedMs: 0, durationMs: 0 };
}

/** Says what happened when it was not the guest's own exit, and gives the exit status. */
export function reportTaskEnd({ outcome, ...end }: TaskEnd, log: Logger, signal: AbortSignal): number {
  const { reason, message } = outcome;
  if (reason !== "exit") log.error(message === "" ? `the task ended: ${reason}` : message, { reason });
  log.debug("the task has ended", { ...end, reason });
  return exitStatus(outcome, signal);
}

/** The outcome's status, but as the shell expects it when a signal to us was the cause. */
export function exitStatus({ reason, status }: Outcome, signal: AbortSignal): number {
  return reason === "cancelled" && signal.aborted ? interruptStatus(signal.reason) : status;
}
