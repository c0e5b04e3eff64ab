/** What becomes of a task whose slot died under it: one further attempt elsewhere, then the death is its end. */

import { failed, type Outcome } from "../../outcome.ts";
import { clipped } from "./clipped.ts";
import { type Ending, finish, named } from "./ending.ts";
import { groupAgain } from "./groups.ts";
import { isServed, whyUnserved } from "./lanes.ts";
import type { Provider, SlotDeath, Task } from "./records.ts";
import { blame, rejectModule } from "./rejected_modules.ts";
import { placeAgain } from "./retry.ts";
import type { Step } from "./state.ts";

/** The death that a provider reports by its own `trap` or `memory`; null for every other outcome: those are a guest's. */
export function deathOf(provider: Provider, { origin, reason, message }: Outcome): SlotDeath | null {
  const died = origin === "provider" && (reason === "trap" || reason === "memory");
  return died ? { provider, reason, message: clipped(message) } : null;
}

/** Runs a task that is on no attempt any more once more on another provider, or ends it with the death. */
export function slotDied(step: Step, task: Task, death: SlotDeath): void {
  const { state, nowMs } = step;
  const { module } = task.spec;
  const first = task.death;
  state.totals.slotDeaths++;
  blame(death.provider, module, nowMs);
  if (first !== null) {
    finish(step, task, twice(first, death));
    return rejectModule(step, module, [first.provider, death.provider]);
  }
  task.death = death;
  if (task.unrepeatable !== null) {
    return finish(step, task, ofDeath(death, `it cannot be run again: ${task.unrepeatable}`));
  }
  task.group = groupAgain(state, task);
  const others = { group: task.group, avoid: [death.provider] };
  if (!isServed(others)) return finish(step, task, ofDeath(death, whyUnserved(state, others)));
  placeAgain(step, task, {
    cause: causeOf(death),
    avoid: death.provider.connected ? death.provider : null,
    ending: (why) => ofDeath(death, why),
  });
}

/** The end of a task whose slot died and that is not run again; `why` says why not. */
export function ofDeath(death: SlotDeath, why: string): Ending {
  return { outcome: failed(death.reason, "provider", `${causeOf(death)}, and ${why}`) };
}

/** A provider may miss the last moment of a slot whose memory fills quickly, so one of two is enough for `memory`. */
function twice(first: SlotDeath, second: SlotDeath): Ending {
  const { reason, message } = first.reason === "memory" ? first : second;
  const who = `${named(first.provider)} and ${named(second.provider)}`;
  return { outcome: failed(reason, "provider", `${who} failed: ${message}`) };
}

function causeOf({ provider, message }: SlotDeath): string {
  return `${named(provider)} failed: ${message}`;
}
