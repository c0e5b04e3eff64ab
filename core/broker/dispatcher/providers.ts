/** Providers coming, going and changing. */

import { release } from "./attempts.ts";
import { cancelledRunning, detach, finish, named } from "./ending.ts";
import type { FilesEvent, JoinEvent, ProviderId, StatusEvent } from "./event.ts";
import { enterGroups, exitGroups } from "./groups.ts";
import { refreshLanes } from "./lanes.ts";
import { MAX_MODULES_PER_PROVIDER, MAX_SLOTS } from "./limits.ts";
import { fill } from "./placement.ts";
import type { Attempt, Provider } from "./records.ts";
import { retry } from "./retry.ts";
import type { Step } from "./state.ts";
import { forget, remember } from "./warm_modules.ts";

/** Throws a `TypeError` for a provider id that is in use. */
export function join(step: Step, event: JoinEvent): void {
  const { state } = step;
  if (state.providers.has(event.provider)) {
    throw new TypeError(`cannot add a provider: id "${event.provider}" is in use`);
  }
  const provider: Provider = {
    id: event.provider,
    name: event.name,
    number: ++state.lastProvider,
    generation: event.generation,
    labels: event.labels,
    taskMemoryBytes: event.taskMemoryBytes,
    taskTimeoutMs: event.taskTimeoutMs,
    python: event.python !== undefined,
    slots: believableSlots(event.slots),
    backlog: 0,
    suspect: false,
    connected: true,
    attempts: new Set(),
    groups: new Map(),
    modules: new Map(),
    blamed: new Map(),
    level: 0,
    listedLevel: 0,
    latencyMs: 0,
    speed: 1,
  };
  state.providers.set(provider.id, provider);
  if (provider.generation === 1) state.olderProviders++;
  for (const module of event.cached.slice(0, MAX_MODULES_PER_PROVIDER).reverse()) {
    remember(state, provider, { module, warmth: "cached" });
  }
  enterGroups(state, provider);
  refreshLanes(state, provider.groups.keys());
  fill(step, provider);
}

/** Unknown providers are those that have just left. */
export function setSlots(step: Step, { provider: id, slots, backlog }: StatusEvent): void {
  const provider = step.state.providers.get(id);
  if (provider === undefined) return;
  const wasServing = provider.slots > 0;
  provider.slots = believableSlots(slots);
  const serving = provider.slots > 0;
  provider.backlog = serving ? believableSlots(backlog) : 0;
  if (serving !== wasServing) {
    for (const group of provider.groups.keys()) group.serving += serving ? 1 : -1;
    refreshLanes(step.state, provider.groups.keys());
  }
  fill(step, provider);
}

/** A hint: what ran there stays what it is, and more than is remembered is not looked at. */
export function setFiles({ state }: Step, { provider: id, added, removed }: FilesEvent): void {
  const provider = state.providers.get(id);
  if (provider === undefined) return;
  for (const module of added.slice(0, MAX_MODULES_PER_PROVIDER)) {
    if (!provider.modules.has(module)) remember(state, provider, { module, warmth: "cached" });
  }
  for (const module of removed.slice(0, MAX_MODULES_PER_PROVIDER)) forget(state, provider, module);
}

export function setSuspect(step: Step, id: ProviderId, suspect: boolean): void {
  const provider = step.state.providers.get(id);
  if (provider === undefined) return;
  provider.suspect = suspect;
  fill(step, provider);
}

/** Its attempts are lost: their ids are dead, their tasks go elsewhere in the order they were started. */
export function leave(step: Step, id: ProviderId): void {
  const { state } = step;
  const provider = state.providers.get(id);
  if (provider === undefined) return;
  provider.connected = false;
  state.providers.delete(id);
  if (provider.generation === 1) state.olderProviders--;
  const groups = [...provider.groups.keys()];
  exitGroups(provider);
  refreshLanes(state, groups);
  for (const module of [...provider.modules.keys()]) forget(state, provider, module);
  for (const attempt of [...provider.attempts]) loseWithProvider(step, attempt);
}

function loseWithProvider(step: Step, attempt: Attempt): void {
  release(step.state, attempt);
  const task = detach(attempt);
  if (task === null) return;
  const who = named(attempt.provider);
  if (attempt.cancelled !== null) {
    finish(step, task, cancelledRunning(attempt.cancelled, `${who} was lost before it acknowledged`));
  } else {
    retry(step, task, { code: "unavailable", cause: `${who} was lost`, avoid: null });
  }
}

/** What a provider may claim: a whole number within the limit; anything odd is none. */
function believableSlots(slots: number): number {
  return slots > 0 ? Math.min(Math.floor(slots), MAX_SLOTS) : 0;
}
