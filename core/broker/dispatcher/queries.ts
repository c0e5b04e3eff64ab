/** What metrics and `/api/providers` may ask of the dispatcher; nothing here changes it. */

import type { Labels } from "../task.ts";
import type { Generation, ProviderId } from "./event.ts";
import type { Provider } from "./records.ts";
import type { DispatcherState, Totals } from "./state.ts";

export interface DispatcherStats {
  readonly queued: number;
  readonly queuedBytes: number;
  /** Tasks on an attempt, those being cancelled included. */
  readonly running: number;
  readonly providers: number;
  /** Since the start. */
  readonly totals: Readonly<Totals>;
}

export interface ProviderView {
  readonly id: ProviderId;
  readonly name: string;
  readonly generation: Generation;
  readonly labels: Labels;
  /** 0 while it drains. */
  readonly slots: number;
  /** Attempts its slots are taken by, those that nobody waits for included. */
  readonly running: number;
  readonly suspect: boolean;
  /** Moving mean of what an attempt takes beyond its guest, milliseconds. */
  readonly latencyMs: number;
  /** How many times faster than the others it has been. */
  readonly speed: number;
}

/** Costs the same however much there is. */
export function stats(state: DispatcherState): DispatcherStats {
  return {
    queued: state.queued,
    queuedBytes: state.queuedBytes,
    running: state.tasks.size - state.queued,
    providers: state.providers.size,
    totals: state.totals,
  };
}

/** All providers in the order of their coming. */
export function providerViews(state: DispatcherState): ProviderView[] {
  return [...state.providers.values()].map(view);
}

/** One provider; null when it is not connected. */
export function providerView(state: DispatcherState, id: ProviderId): ProviderView | null {
  const provider = state.providers.get(id);
  return provider === undefined ? null : view(provider);
}

function view(provider: Provider): ProviderView {
  const { id, name, generation, labels, slots, suspect, latencyMs, speed } = provider;
  return { id, name, generation, labels, slots, running: provider.attempts.size, suspect, latencyMs, speed };
}
