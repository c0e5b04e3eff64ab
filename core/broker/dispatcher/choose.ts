/** Finds the provider for a task at a cost that depends neither on the providers nor on the queue. */

import { BACKLOG_LEVEL, freeSlots, isAvailable, LEVELS, list } from "./availability.ts";
import { MAX_CANDIDATES } from "./limits.ts";
import { expectedMs } from "./measurement.ts";
import type { Provider, Task } from "./records.ts";
import type { SampleLimits, Verdict } from "./rotating_set.ts";
import type { DispatcherState } from "./state.ts";

/**
 * The best of a few candidates: those that ran the module first, then those that hold it, then those with
 * most free slots; where it would have to wait only when no slot is free. Null only when no available provider may run the task.
 */
export function chooseProvider(state: DispatcherState, task: Task): Provider | null {
  const warm = state.warm.get(task.spec.module);
  if (warm !== undefined) {
    const judge = (provider: Provider): Verdict =>
      provider.level === 0 ? "drop" : provider.level === BACKLOG_LEVEL ? "skip" : fitness(task, provider);
    const found = bestOf(state, task, warm.ran.sample(limitsFor(task), judge)) ??
      bestOf(state, task, warm.cached.sample(limitsFor(task), judge));
    if (found !== null) return found;
  }
  const lowest = task.spec.immediate ? BACKLOG_LEVEL + 1 : BACKLOG_LEVEL;
  for (let level = LEVELS; level >= lowest; level--) {
    const found = bestOf(state, task, sampleBucket(task, level));
    if (found !== null) return found;
  }
  return null;
}

function sampleBucket(task: Task, level: number): Provider[] {
  const bucket = task.group.buckets[level]!;
  if (bucket.size === 0) return [];
  return bucket.sample(limitsFor(task), (provider) => {
    if (provider.level >= level) return fitness(task, provider);
    list(task.group, provider);
    return "drop";
  });
}

/** In a bucket only providers that the task avoids are skipped, so none is given up too early. */
function limitsFor(task: Task): SampleLimits {
  return { take: MAX_CANDIDATES, skip: MAX_CANDIDATES + task.avoid.length };
}

function fitness(task: Task, provider: Provider): Verdict {
  return isAvailable(provider) && provider.groups.has(task.group) && !task.avoid.includes(provider)
    ? "take"
    : "skip";
}

function bestOf(state: DispatcherState, task: Task, candidates: readonly Provider[]): Provider | null {
  let best: Provider | null = null;
  for (const candidate of candidates) {
    if (best === null || isBetter(state, task, [candidate, best])) best = candidate;
  }
  return best;
}

function isBetter(state: DispatcherState, task: Task, [a, b]: readonly [Provider, Provider]): boolean {
  const warmth = warmthRank(a, task) - warmthRank(b, task);
  if (warmth !== 0) return warmth > 0;
  const free = freeSlots(a) - freeSlots(b);
  if (free !== 0) return free > 0;
  const gainMs = expectedMs(state, b, task) - expectedMs(state, a, task);
  return gainMs !== 0 ? gainMs > 0 : a.number < b.number;
}

function warmthRank(provider: Provider, task: Task): number {
  const warmth = provider.modules.get(task.spec.module);
  return warmth === "ran" ? 2 : warmth === "cached" ? 1 : 0;
}
