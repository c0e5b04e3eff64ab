/** Finds the provider for a task at a cost that depends neither on the providers nor on the queue. */

import { freeSlots, isAvailable, LEVELS } from "./availability.ts";
import { MAX_CANDIDATES } from "./limits.ts";
import { expectedMs } from "./measurement.ts";
import type { Provider, Task } from "./records.ts";
import type { RotatingSet, Verdict } from "./rotating_set.ts";
import type { DispatcherState } from "./state.ts";

/**
 * The best of a few candidates: those that ran the module first, then those that hold it, then those with
 * most free slots. Null only when no available provider may run the task.
 */
export function chooseProvider(state: DispatcherState, task: Task): Provider | null {
  const warm = state.warm.get(task.spec.module);
  if (warm !== undefined) {
    const found = bestOf(state, task, warm.ran) ?? bestOf(state, task, warm.cached);
    if (found !== null) return found;
  }
  for (let level = LEVELS; level > 0; level--) {
    const bucket = task.group.buckets[level]!;
    if (bucket.size === 0) continue;
    const found = bestOf(state, task, bucket);
    if (found !== null) return found;
  }
  return null;
}

function bestOf(state: DispatcherState, task: Task, among: RotatingSet<Provider>): Provider | null {
  // Members of a bucket are passed over only when the task avoids them, so no bucket is given up too early.
  const limits = { take: MAX_CANDIDATES, skip: MAX_CANDIDATES + task.avoid.length };
  let best: Provider | null = null;
  for (const candidate of among.sample(limits, (provider) => judge(task, provider))) {
    if (best === null || isBetter(state, task, [candidate, best])) best = candidate;
  }
  return best;
}

function judge(task: Task, provider: Provider): Verdict {
  if (provider.level === 0) return "drop";
  return isAvailable(provider) && provider.groups.has(task.group) && !task.avoid.includes(provider)
    ? "take"
    : "skip";
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
