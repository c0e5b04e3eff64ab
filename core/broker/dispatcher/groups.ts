/** Groups of tasks with the same requirements, each knowing the providers that meet them. */

import { LEVELS, list } from "./availability.ts";
import { MAX_GROUPS } from "./limits.ts";
import type { Generation } from "./event.ts";
import type { Group, Provider, Task } from "./records.ts";
import { meets, requiredGeneration, requirementsKey, sortedLabels } from "./requirements.ts";
import { RotatingSet } from "./rotating_set.ts";
import type { DispatcherState } from "./state.ts";
import type { TaskSpec } from "../task.ts";

/** The task's group; null when a new one is needed and every known one has waiting tasks. */
export function groupFor(
  state: DispatcherState,
  spec: TaskSpec,
  generation: Generation = requiredGeneration(spec),
): Group | null {
  const key = requirementsKey(spec, generation);
  const known = state.groups.get(key);
  if (known !== undefined) {
    state.groups.delete(key);
    state.groups.set(key, known);
    return known;
  }
  if (state.groups.size >= MAX_GROUPS && !forgetIdle(state)) return null;
  return addGroup(state, spec, generation);
}

/** The group of a task that is to be retried, which is never refused one. */
export function groupAgain(state: DispatcherState, { spec, generation }: Task): Group {
  const known = state.groups.get(requirementsKey(spec, generation));
  return known ?? groupFor(state, spec, generation) ?? addGroup(state, spec, generation);
}

/** Enters a new provider into every group whose requirements it meets. */
export function enterGroups(state: DispatcherState, provider: Provider): void {
  for (const group of state.groups.values()) enter(group, provider);
}

/** Takes a provider out of all its groups. */
export function exitGroups(provider: Provider): void {
  for (const [group, listed] of provider.groups) {
    group.buckets[listed]!.delete(provider);
    if (provider.slots > 0) group.serving--;
  }
  provider.level = 0;
  provider.groups.clear();
}

/** A group that nobody knows of. */
export function newGroup(spec: TaskSpec, generation: Generation = requiredGeneration(spec)): Group {
  return {
    key: requirementsKey(spec, generation),
    require: sortedLabels(spec.require),
    memoryBytes: spec.memoryBytes,
    timeoutMs: spec.timeoutMs,
    generation,
    python: spec.python !== undefined,
    serving: 0,
    buckets: Array.from({ length: LEVELS + 1 }, () => new RotatingSet<Provider>()),
    lanes: new Map(),
  };
}

function addGroup(state: DispatcherState, spec: TaskSpec, generation: Generation): Group {
  const group = newGroup(spec, generation);
  state.groups.set(group.key, group);
  for (const provider of state.providers.values()) enter(group, provider);
  return group;
}

function enter(group: Group, provider: Provider): void {
  if (!meets(provider, group)) return;
  if (provider.slots > 0) group.serving++;
  list(group, provider);
}

/** Forgets the group unused for longest, of those nobody waits in. */
function forgetIdle(state: DispatcherState): boolean {
  for (const group of state.groups.values()) {
    if (group.lanes.size > 0) continue;
    state.groups.delete(group.key);
    for (const provider of state.providers.values()) provider.groups.delete(group);
    return true;
  }
  return false;
}
