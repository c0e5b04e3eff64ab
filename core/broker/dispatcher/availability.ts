/** Which providers can take an attempt now, kept where placement looks. */

import { warmSet } from "./warm_modules.ts";
import { MAX_SLOTS } from "./limits.ts";
import type { Provider } from "./records.ts";
import type { DispatcherState } from "./state.ts";

/** Levels above 0: one for each power of two of free slots. */
export const LEVELS = levelOf(MAX_SLOTS);

/** 0 without free slots, else 1 for 1, 2 for 2 and 3, 3 for 4 to 7, and so on. */
export function levelOf(freeSlots: number): number {
  return freeSlots <= 0 ? 0 : 32 - Math.clz32(freeSlots);
}

/** Slots that are not taken; negative while more run than the provider now has. */
export function freeSlots(provider: Provider): number {
  return provider.slots - provider.attempts.size;
}

/** Whether an attempt may be placed there now. */
export function isAvailable(provider: Provider): boolean {
  return provider.connected && !provider.suspect && freeSlots(provider) > 0;
}

/** Brings the indexes up to date after the provider's slots or standing changed. */
export function publish(state: DispatcherState, provider: Provider): void {
  const level = isAvailable(provider) ? levelOf(freeSlots(provider)) : 0;
  if (level === provider.level) return;
  for (const group of provider.groups) {
    group.buckets[provider.level]!.delete(provider);
    if (level > 0) group.buckets[level]!.add(provider);
  }
  // A provider that became busy stays in the sets of its modules until a sample meets it there.
  if (provider.level === 0) {
    for (const [module, warmth] of provider.modules) warmSet(state, module, warmth)?.add(provider);
  }
  provider.level = level;
}
