/** Finds the provider for a task at a cost that depends neither on the providers nor on the queue. */

import { BACKLOG_LEVEL, freeSlots, isAvailable, LEVELS, list, OLDER_LEVELS } from "./availability.ts";
import type { Generation } from "./event.ts";
import { MAX_CANDIDATES } from "./limits.ts";
import { expectedMs } from "./measurement.ts";
import type { Provider, Task } from "./records.ts";
import type { SampleLimits, Verdict } from "./rotating_set.ts";
import type { DispatcherState } from "./state.ts";

/** Where providers of a generation with free slots are listed, and which generation that is. */
interface Class {
  readonly generation: Generation;
  readonly highest: number;
  readonly lowest: number;
}

const NEWER: Class = { generation: 2, highest: LEVELS, lowest: OLDER_LEVELS + 1 };
const OLDER: Class = { generation: 1, highest: OLDER_LEVELS, lowest: BACKLOG_LEVEL + 1 };

/**
 * The best of a few candidates: those that ran the module first, then those that hold it, then those with
 * most free slots. Providers of the first generation only when none of ours has a free slot; where it would have to
 * wait only when nobody has. Null only when no available provider may run the task.
 */
export function chooseProvider(state: DispatcherState, task: Task): Provider | null {
  const found = bestIn(state, task, NEWER);
  if (found !== null) return found;
  if (state.olderProviders > 0 && task.generation === 1) {
    const older = bestIn(state, task, OLDER);
    if (older !== null) return older;
  }
  return task.spec.immediate ? null : bestOf(state, task, sampleBucket(task, BACKLOG_LEVEL));
}

function bestIn(state: DispatcherState, task: Task, { generation, highest, lowest }: Class): Provider | null {
  const warm = state.warm.get(task.spec.module);
  if (warm !== undefined) {
    const judge = (provider: Provider): Verdict => {
      if (provider.level === 0) return "drop";
      const other = provider.level === BACKLOG_LEVEL || provider.generation !== generation;
      return other ? "skip" : fitness(task, provider);
    };
    const found = bestOf(state, task, warm.ran.sample(limitsFor(task), judge)) ??
      bestOf(state, task, warm.cached.sample(limitsFor(task), judge));
    if (found !== null) return found;
  }
  for (let level = highest; level >= lowest; level--) {
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
