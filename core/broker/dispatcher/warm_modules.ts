/** Which providers hold which modules, as far as the dispatcher remembers. */

import type { FileRef } from "../../storage/file_store.ts";
import { MAX_MODULES_PER_PROVIDER } from "./limits.ts";
import type { Provider, Warmth } from "./records.ts";
import { RotatingSet } from "./rotating_set.ts";
import type { DispatcherState } from "./state.ts";

/** The providers that hold a module in this way. */
export function warmSet(
  state: DispatcherState,
  module: FileRef,
  warmth: Warmth,
): RotatingSet<Provider> | undefined {
  return state.warm.get(module)?.[warmth];
}

/** The provider holds the module now; what it used longest ago is forgotten beyond the limit. */
export function remember(
  state: DispatcherState,
  provider: Provider,
  { module, warmth }: { readonly module: FileRef; readonly warmth: Warmth },
): void {
  const known = provider.modules.get(module);
  if (known !== undefined && known !== warmth) forget(state, provider, module);
  if (known !== warmth) {
    let warm = state.warm.get(module);
    if (warm === undefined) {
      warm = { ran: new RotatingSet(), cached: new RotatingSet(), known: 0 };
      state.warm.set(module, warm);
    }
    warm.known++;
    if (provider.level > 0) warm[warmth].add(provider);
  }
  provider.modules.delete(module);
  provider.modules.set(module, warmth);
  if (provider.modules.size <= MAX_MODULES_PER_PROVIDER) return;
  for (const oldest of provider.modules.keys()) return forget(state, provider, oldest);
}

/** The provider does not hold the module any more. */
export function forget(state: DispatcherState, provider: Provider, module: FileRef): void {
  const warm = state.warm.get(module);
  if (warm === undefined || !provider.modules.delete(module)) return;
  warm.ran.delete(provider);
  warm.cached.delete(provider);
  warm.known--;
  if (warm.known === 0) state.warm.delete(module);
}
