/** What becomes of a task whose attempt was lost. */

import { type Code, WasimoffError } from "../../errors.ts";
import { failed, STATUS_INVALID_MODULE } from "../../outcome.ts";
import { deadlinePassed } from "./attempts.ts";
import { cancelledWaiting, type Ending, finish, lost } from "./ending.ts";
import { groupAgain } from "./groups.ts";
import { enqueue } from "./lanes.ts";
import { isOver, place } from "./placement.ts";
import type { Provider, Task } from "./records.ts";
import type { Step } from "./state.ts";

/** Attempts that may kill their slot: the second death is the guest's doing. */
const MAX_SLOT_DEATHS = 2;

/** Times that a task may be sent back by busy providers before that counts as an attempt. */
export const MAX_BOUNCES = 8;

/**
 * What a code says of the task: run it elsewhere, run it anywhere once a slot is free, blame the module, or
 * blame the guest when it repeats.
 */
const MEANING: Readonly<Record<Code, "elsewhere" | "busy" | "module" | "slot">> = {
  canceled: "elsewhere",
  unknown: "elsewhere",
  invalid_argument: "module",
  deadline_exceeded: "elsewhere",
  not_found: "elsewhere",
  already_exists: "elsewhere",
  permission_denied: "elsewhere",
  resource_exhausted: "busy",
  failed_precondition: "elsewhere",
  aborted: "slot",
  out_of_range: "elsewhere",
  unimplemented: "elsewhere",
  internal: "elsewhere",
  unavailable: "elsewhere",
  data_loss: "elsewhere",
  unauthenticated: "elsewhere",
};

export interface Loss {
  readonly code: Code;
  readonly cause: string;
  /** A provider that failed the task and lives on; null when its session is over. */
  readonly avoid: Provider | null;
}

/** Ends a task that is on no attempt any more, or places it again, or lets it wait before the fresh ones. */
export function retry(step: Step, task: Task, loss: Loss): void {
  const { state, nowMs, effects } = step;
  if (loss.code === "aborted") task.slotDeaths++;
  const bounced = MEANING[loss.code] === "busy" && !task.spec.immediate && task.bounces++ < MAX_BOUNCES;
  if (bounced) task.attempts--;
  const ending = endingOf(task, loss);
  if (ending !== null) return finish(step, task, ending);
  if (isOver(step, task)) return finish(step, task, cancelledWaiting(deadlinePassed()));
  task.avoid = task.avoid.filter((provider) => provider.connected);
  if (loss.avoid !== null && !bounced) task.avoid = [...task.avoid, loss.avoid];
  task.group = groupAgain(state, task.group, task.spec);
  task.lastCause = loss.cause;
  state.totals.requeued++;
  state.options.log.append({ kind: "requeued", atMs: nowMs, task: task.id, cause: loss.cause });
  effects.push({ kind: "progress", task: task.id, state: "retrying", detail: loss.cause });
  if (place(step, task)) return;
  if (task.spec.immediate) return finish(step, task, lost(`${loss.cause}, and no other provider is idle`));
  if (!enqueue(step, task)) finish(step, task, lost(`${loss.cause}, and too many other tasks are retried`));
}

/** How a task ends that is not to be run again; null when it is. */
function endingOf(task: Task, { code, cause }: Loss): Ending | null {
  const meaning = MEANING[code];
  if (meaning === "module") {
    return { outcome: failed("rejected", "provider", cause, STATUS_INVALID_MODULE), code };
  }
  if (meaning === "slot" && task.slotDeaths >= MAX_SLOT_DEATHS) {
    return { outcome: failed("trap", "provider", cause) };
  }
  if (task.unrepeatable !== null) return lost(`${cause}, and it cannot be run again: ${task.unrepeatable}`);
  if (task.attempts < task.spec.attempts) return null;
  return lost(task.attempts === 1 ? cause : `gave up after ${task.attempts} attempts: ${cause}`);
}

/** The reason to stop an attempt that the provider should have ended itself. */
export function overdue(): WasimoffError {
  return new WasimoffError("deadline_exceeded", "the attempt outlived its timeout");
}
