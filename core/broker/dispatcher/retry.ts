/** What becomes of a task whose attempt was lost. */

import { type Code, WasimoffError } from "../../errors.ts";
import { failed, STATUS_INVALID_MODULE } from "../../outcome.ts";
import { deadlinePassed } from "./attempts.ts";
import { cancelledWaiting, type Ending, finish, lost } from "./ending.ts";
import { groupAgain } from "./groups.ts";
import { enqueue } from "./lanes.ts";
import { isOver, place } from "./placement.ts";
import type { Provider, Task } from "./records.ts";
import { rejectionOf } from "./rejected_modules.ts";
import type { Step } from "./state.ts";

/** Times that a task may be sent back by busy providers before that counts as an attempt. */
export const MAX_BOUNCES = 8;

/** Codes of lost attempts; `aborted` is the death of a slot. */
type LossCode = Exclude<Code, "aborted">;

/** What a code says of the task: run it elsewhere, run it anywhere once a slot is free, or blame the module. */
const MEANING: Readonly<Record<LossCode, "elsewhere" | "busy" | "module">> = {
  canceled: "elsewhere",
  unknown: "elsewhere",
  invalid_argument: "module",
  deadline_exceeded: "elsewhere",
  not_found: "elsewhere",
  already_exists: "elsewhere",
  permission_denied: "elsewhere",
  resource_exhausted: "busy",
  failed_precondition: "elsewhere",
  out_of_range: "elsewhere",
  unimplemented: "elsewhere",
  internal: "elsewhere",
  unavailable: "elsewhere",
  data_loss: "elsewhere",
  unauthenticated: "elsewhere",
};

export interface Loss {
  readonly code: LossCode;
  readonly cause: string;
  /** A provider that failed the task and lives on; null when its session is over. */
  readonly avoid: Provider | null;
}

/** Ends a task that is on no attempt any more, or places it again, or lets it wait before the fresh ones. */
export function retry(step: Step, task: Task, loss: Loss): void {
  const bounced = MEANING[loss.code] === "busy" && !task.spec.immediate && task.bounces++ < MAX_BOUNCES;
  if (bounced) task.attempts--;
  const ending = endingOf(task, loss);
  if (ending !== null) return finish(step, task, ending);
  placeAgain(step, task, {
    cause: loss.cause,
    avoid: bounced ? null : loss.avoid,
    ending: (why) => lost(`${loss.cause}, and ${why}`),
  });
}

/** Places a task again that the protocol of its provider cannot carry, which costs it no attempt. */
export function passOn(step: Step, task: Task, cause: string): void {
  task.generation = 2;
  task.attempts--;
  if (task.unrepeatable !== null) {
    return finish(step, task, lost(`${cause}, and it cannot be run again: ${task.unrepeatable}`));
  }
  placeAgain(step, task, { cause, avoid: null, ending: (why) => lost(`${cause}, and ${why}`) });
}

export interface Again {
  readonly cause: string;
  /** A provider that is not to get it again; null for none. */
  readonly avoid: Provider | null;
  /** How the task ends when it can neither run nor wait. */
  readonly ending: (why: string) => Ending;
}

/** Places a task that is on no attempt any more, or lets it wait before the fresh ones. */
export function placeAgain(step: Step, task: Task, { cause, avoid, ending }: Again): void {
  const { state, nowMs, effects } = step;
  if (isOver(step, task)) return finish(step, task, cancelledWaiting(deadlinePassed()));
  const rejection = rejectionOf(state, task.spec.module);
  if (rejection !== null) return finish(step, task, rejection);
  task.avoid = task.avoid.filter((provider) => provider.connected);
  if (avoid !== null) task.avoid = [...task.avoid, avoid];
  task.group = groupAgain(state, task);
  task.lastCause = cause;
  state.totals.requeued++;
  state.options.log.append({ kind: "requeued", atMs: nowMs, task: task.id, cause });
  effects.push({ kind: "progress", task: task.id, state: "retrying", detail: cause });
  if (place(step, task)) return;
  if (task.spec.immediate) return finish(step, task, ending("no other provider is idle"));
  if (!enqueue(step, task)) finish(step, task, ending(TOO_MANY));
}

/**
 * Lets a task that nobody else can run have the providers again that failed it, all but one whose slot died
 * under it. It no longer waits. False when that frees none.
 */
export function forgive(step: Step, task: Task): boolean {
  const avoid = task.avoid.filter((provider) => provider === task.death?.provider);
  if (avoid.length === task.avoid.length) return false;
  task.avoid = avoid;
  if (isOver(step, task)) finish(step, task, cancelledWaiting(deadlinePassed()));
  else if (!place(step, task) && !enqueue(step, task)) {
    finish(step, task, lost(`${task.lastCause}, and ${TOO_MANY}`));
  }
  return true;
}

const TOO_MANY = "too many other tasks are retried";

/** How a task ends that is not to be run again; null when it is. */
function endingOf(task: Task, { code, cause }: Loss): Ending | null {
  if (MEANING[code] === "module") {
    return { outcome: failed("rejected", "provider", cause, STATUS_INVALID_MODULE), code };
  }
  if (task.unrepeatable !== null) return lost(`${cause}, and it cannot be run again: ${task.unrepeatable}`);
  // A slot that died is no lost provider, so its attempt does not count.
  if (task.attempts < task.spec.attempts + (task.death === null ? 0 : 1)) return null;
  return lost(task.attempts === 1 ? cause : `gave up after ${task.attempts} attempts: ${cause}`);
}

/** The reason to stop an attempt that the provider should have ended itself. */
export function overdue(): WasimoffError {
  return new WasimoffError("deadline_exceeded", "the attempt outlived its timeout");
}
