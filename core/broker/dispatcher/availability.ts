/** Which providers can take an attempt now, kept where placement looks. */

import { warmSet } from "./warm_modules.ts";
import { MAX_SLOTS } from "./limits.ts";
import type { Group, Provider } from "./records.ts";
import type { DispatcherState } from "./state.ts";

/** The level of a provider where an attempt would have to wait, though not for long. */
export const BACKLOG_LEVEL = 1;

/** Levels of one generation: one for each power of two of free slots. */
const STEPS = 32 - Math.clz32(MAX_SLOTS);
/** The highest level of the first generation; the second begins above it. */
export const OLDER_LEVELS = BACKLOG_LEVEL + STEPS;
/** Levels above 0: the backlog's, then those of the first generation, then those of the second. */
export const LEVELS = OLDER_LEVELS + STEPS;

/** The backlog's level without free slots, else the first of its generation for 1, the next for 2 and 3, and so on. */
export function levelOf(provider: Provider): number {
  const free = freeSlots(provider);
  if (free <= 0) return BACKLOG_LEVEL;
  return (provider.generation === 1 ? BACKLOG_LEVEL : OLDER_LEVELS) + 32 - Math.clz32(free);
}

/** Slots that are not taken; negative while attempts wait, or more run than the provider now has. */
export function freeSlots(provider: Provider): number {
  return provider.slots - provider.attempts.size;
}

/** Whether an attempt may be placed there now. */
export function isAvailable(provider: Provider): boolean {
  return provider.connected && !provider.suspect && freeSlots(provider) + provider.backlog > 0;
}

/**
 * Brings the indexes up to date after the provider's slots or standing changed. Only a rise is carried into
 * the groups; after a fall the provider stays listed where it was until placement meets it there. So a slot
 * that is taken and freed again and again costs nothing, however many groups there are.
 */
export function publish(state: DispatcherState, provider: Provider): void {
  const before = provider.level;
  provider.level = isAvailable(provider) ? levelOf(provider) : 0;
  if (before === 0 && provider.level > 0) {
    for (const [module, warmth] of provider.modules) warmSet(state, module, warmth)?.add(provider);
  }
  if (provider.level <= provider.listedLevel) return;
  for (const [group, listed] of provider.groups) {
    if (listed >= provider.level) continue;
    group.buckets[listed]!.delete(provider);
    list(group, provider);
  }
  provider.listedLevel = provider.level;
}

/** Lists a provider in a group at the level that it has; the caller takes it out of the bucket it was in. */
export function list(group: Group, provider: Provider): void {
  provider.groups.set(group, provider.level);
  if (provider.level > 0) group.buckets[provider.level]!.add(provider);
  provider.listedLevel = Math.min(provider.listedLevel, provider.level);
}
