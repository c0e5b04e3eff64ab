/** What providers report of their attempts. */

import { take } from "./attempts.ts";
import { clipped } from "./clipped.ts";
import { cancelledRunning, detach, finish, named } from "./ending.ts";
import type { AttemptId, EndedEvent, FailedEvent, ProviderId } from "./event.ts";
import { measure } from "./measurement.ts";
import { fill } from "./placement.ts";
import type { Attempt } from "./records.ts";
import { passOn, retry } from "./retry.ts";
import { deathOf, slotDied } from "./slot_deaths.ts";
import type { Step } from "./state.ts";
import { remember } from "./warm_modules.ts";

/** Frees the slot, and waits no longer for the provider: how fast the client reads is not its doing. */
export function answered(step: Step, provider: ProviderId, id: AttemptId): void {
  const attempt = step.state.attempts.get(id);
  if (attempt === undefined || attempt.provider.id !== provider) return;
  attempt.provider.attempts.delete(attempt);
  if (attempt.cancelled === null) step.state.timers.disarm(attempt);
  fill(step, attempt.provider);
}

/** The attempt's outcome is the task's, unless its slot died, or the task was cancelled before or went elsewhere. */
export function ended(step: Step, event: EndedEvent): void {
  const attempt = take(step.state, event.attempt, event.provider);
  if (attempt === null) return;
  const { provider } = attempt;
  const task = detach(attempt);
  if (task !== null) {
    const death = deathOf(provider, event.outcome);
    if (provider.connected && death === null) {
      remember(step.state, provider, { module: task.spec.module, warmth: "ran" });
    }
    if (attempt.cancelled !== null) {
      finish(step, task, acknowledged(attempt));
    } else if (death !== null) {
      slotDied(step, task, death);
    } else {
      const durationMs = event.durationMs > 0 ? Math.min(event.durationMs, event.elapsedMs) : 0;
      measure(step.state, { provider, task }, { durationMs, elapsedMs: event.elapsedMs });
      finish(step, task, { outcome: event.outcome, durationMs });
    }
  }
  fill(step, provider);
}

/** The task goes elsewhere or ends, by code; older providers say `aborted` of a slot that died. */
export function failed(step: Step, event: FailedEvent): void {
  const attempt = take(step.state, event.attempt, event.provider);
  if (attempt === null) return;
  const { provider } = attempt;
  const { code } = event;
  const message = clipped(event.message);
  const task = detach(attempt);
  if (task !== null && attempt.cancelled !== null) {
    finish(step, task, acknowledged(attempt));
  } else if (task !== null && code === "aborted") {
    slotDied(step, task, { provider, reason: "trap", message });
  } else if (task !== null && code !== "aborted") {
    const cause = `${named(provider)} failed: ${message}`;
    if (code === "out_of_range" && provider.generation === 1) passOn(step, task, cause);
    else retry(step, task, { code, cause, avoid: provider.connected ? provider : null });
  }
  fill(step, provider);
}

function acknowledged(attempt: Attempt) {
  return cancelledRunning(attempt.cancelled!, `acknowledged by ${named(attempt.provider)}`);
}
