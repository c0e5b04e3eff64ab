/** The dispatcher: which task runs where, as a pure function of what happened. */

import { cancel } from "./attempts.ts";
import type { Effect } from "./effect.ts";
import type { DispatcherEvent } from "./event.ts";
import { join, leave, setFiles, setSlots, setSuspect } from "./providers.ts";
import { answered, ended, failed } from "./reports.ts";
import type { DispatcherState, Step } from "./state.ts";
import { submit } from "./submission.ts";
import { tick } from "./timeouts.ts";

/**
 * Changes the state by one event and says what is to be done, in order. The same events at the same times
 * give the same effects. `nowMs` is Unix milliseconds of a clock that does not jump (deadlines are compared
 * with it); a time before the last one counts as the last one. Throws `TypeError` for an id that is in use.
 */
export function transition(state: DispatcherState, event: DispatcherEvent, nowMs: number): Effect[] {
  state.nowMs = Math.max(state.nowMs, nowMs);
  const step: Step = { state, nowMs: state.nowMs, effects: [] };
  apply(step, event);
  return step.effects;
}

/** When a `tick` is due, Unix milliseconds; null when nothing waits for time to pass. */
export function nextWakeMs(state: DispatcherState): number | null {
  return state.timers.first()?.dueMs ?? null;
}

function apply(step: Step, event: DispatcherEvent): void {
  switch (event.kind) {
    case "submit":
      return submit(step, event);
    case "cancel": {
      const task = step.state.tasks.get(event.task);
      if (task !== undefined) cancel(step, task, event.reason);
      return;
    }
    case "unrepeatable": {
      const task = step.state.tasks.get(event.task);
      if (task !== undefined) task.unrepeatable ??= event.why;
      return;
    }
    case "join":
      return join(step, event);
    case "status":
      return setSlots(step, event);
    case "files":
      return setFiles(step, event);
    case "suspect":
      return setSuspect(step, event.provider, event.suspect);
    case "leave":
      return leave(step, event.provider);
    case "answered":
      return answered(step, event.provider, event.attempt);
    case "ended":
      return ended(step, event);
    case "failed":
      return failed(step, event);
    case "tick":
      return tick(step);
    default:
      event satisfies never;
  }
}
