/** How quick providers have been: moving means, so that old times fade. */

import { MAX_MEASURED_MODULES } from "./limits.ts";
import type { Provider, Task } from "./records.ts";
import type { DispatcherState } from "./state.ts";

/** Weight of the newest value: after ten values about a tenth of the first is left. */
const WEIGHT = 0.2;
/** Shorter runs say more about the clock than about the CPU. */
const MIN_DURATION_MS = 1;
/** One odd run counts no more than this factor. */
const MAX_RATIO = 10;

/** Counts an attempt that came to its end; `durationMs` is the guest's part of `elapsedMs`. */
export function measure(
  state: DispatcherState,
  { provider, task }: { readonly provider: Provider; readonly task: Task },
  { durationMs, elapsedMs }: { readonly durationMs: number; readonly elapsedMs: number },
): void {
  provider.latencyMs = moved(provider.latencyMs, elapsedMs - durationMs);
  if (durationMs < MIN_DURATION_MS) return;
  const module = task.spec.module;
  const meanMs = state.durations.get(module);
  if (meanMs !== undefined) {
    const ratio = Math.min(Math.max(meanMs / durationMs, 1 / MAX_RATIO), MAX_RATIO);
    provider.speed = moved(provider.speed, ratio);
  }
  state.durations.delete(module);
  state.durations.set(module, moved(meanMs ?? durationMs, durationMs));
  if (state.durations.size <= MAX_MEASURED_MODULES) return;
  for (const oldest of state.durations.keys()) return void state.durations.delete(oldest);
}

/** What an attempt of the task would take there, in milliseconds, as far as is known. */
export function expectedMs(state: DispatcherState, provider: Provider, task: Task): number {
  return provider.latencyMs + (state.durations.get(task.spec.module) ?? 0) / provider.speed;
}

function moved(meanMs: number, value: number): number {
  return meanMs + WEIGHT * (value - meanMs);
}
