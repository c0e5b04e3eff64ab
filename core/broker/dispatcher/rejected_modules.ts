/** Modules that nobody may run for a while, because slots of two providers died under them. */

import type { FileRef } from "../../storage/file_store.ts";
import { type Ending, finish, named, rejected } from "./ending.ts";
import { dequeue } from "./lanes.ts";
import { MAX_BLAMED_MODULES, MAX_REJECTED_MODULES, REJECTED_MS } from "./limits.ts";
import type { Provider } from "./records.ts";
import type { DispatcherState, Step } from "./state.ts";

/** Notes that a slot of the provider died under the module. */
export function blame({ blamed }: Provider, module: FileRef, nowMs: number): void {
  blamed.delete(module);
  blamed.set(module, nowMs);
  // One more than is believed is enough to know that there were too many.
  if (blamed.size <= MAX_BLAMED_MODULES + 1) return;
  for (const oldest of blamed.keys()) return void blamed.delete(oldest);
}

/**
 * Rejects the module from now on, and ends the tasks of it that wait; those that run are left alone. Only when
 * both providers can be believed: their names differ, so that no single one decides, and neither blames every module.
 */
export function rejectModule(
  step: Step,
  module: FileRef,
  [first, second]: readonly [Provider, Provider],
): void {
  const { state, nowMs } = step;
  if (first.name === second.name || !isBelieved(first, nowMs) || !isBelieved(second, nowMs)) return;
  const cause = `slots died under it on ${named(first)} and ${named(second)}`;
  state.rejected.delete(module);
  state.rejected.set(module, { untilMs: nowMs + REJECTED_MS, cause });
  state.totals.modulesRejected++;
  if (state.rejected.size > MAX_REJECTED_MODULES) forgetOldest(state);
  for (const task of state.tasks.values()) {
    if (task.lane === null || task.spec.module !== module) continue;
    dequeue(state, task);
    finish(step, task, rejectionOf(state, module)!);
  }
}

/** The end of a task of this module; null while it may run. */
export function rejectionOf(state: DispatcherState, module: FileRef): Ending | null {
  const rejection = state.rejected.get(module);
  if (rejection === undefined) return null;
  const leftMs = rejection.untilMs - state.nowMs;
  if (leftMs <= 0) {
    state.rejected.delete(module);
    return null;
  }
  const left = `module is rejected for another ${Math.ceil(leftMs / 1000)} s`;
  return rejected("failed_precondition", `${left}: ${rejection.cause}, change it or try again then`);
}

function isBelieved({ blamed }: Provider, nowMs: number): boolean {
  let recent = 0;
  for (const atMs of blamed.values()) {
    if (atMs + REJECTED_MS > nowMs) recent++;
  }
  return recent <= MAX_BLAMED_MODULES;
}

function forgetOldest({ rejected }: DispatcherState): void {
  for (const oldest of rejected.keys()) return void rejected.delete(oldest);
}
