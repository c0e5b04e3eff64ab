/** The dispatcher's whole memory. Only the transition changes it. */

import { type Reason, REASONS } from "../../outcome.ts";
import type { FileRef } from "../../storage/file_store.ts";
import type { TaskId } from "../task.ts";
import type { Effect } from "./effect.ts";
import type { AttemptId, ProviderId } from "./event.ts";
import { type DispatcherOptions, MAX_QUEUE, MAX_QUEUE_BYTES, QUEUE_TIMEOUT_MS } from "./limits.ts";
import type { Attempt, Group, Lane, Provider, Rejection, Task } from "./records.ts";
import type { RotatingSet } from "./rotating_set.ts";
import { TimerHeap } from "./timer_heap.ts";

/** Providers that hold a module and, as far as known, can take an attempt. */
export interface WarmModule {
  readonly ran: RotatingSet<Provider>;
  readonly cached: RotatingSet<Provider>;
  /** How many providers remember it, busy ones included. */
  known: number;
}

export interface Totals {
  submitted: number;
  placed: number;
  requeued: number;
  /** Reports of attempts that are not (or no longer) the reporting provider's. */
  ignored: number;
  /** Slots that died under tasks, as providers say. */
  slotDeaths: number;
  modulesRejected: number;
  readonly finished: Record<Reason, number>;
}

export interface DispatcherState {
  readonly options: Required<DispatcherOptions>;
  /** The latest time seen; time never goes backwards here. */
  nowMs: number;
  readonly tasks: Map<TaskId, Task>;
  readonly attempts: Map<AttemptId, Attempt>;
  readonly providers: Map<ProviderId, Provider>;
  /** How many of them are of the first generation. */
  olderProviders: number;
  /** Least recently used first. */
  readonly groups: Map<string, Group>;
  /** Lanes with waiting tasks, of all groups. */
  readonly lanes: Set<Lane>;
  readonly timers: TimerHeap<Task | Attempt | Lane>;
  readonly warm: Map<FileRef, WarmModule>;
  /** Moving mean of a module's duration over all providers; least recently used first. */
  readonly durations: Map<FileRef, number>;
  /** Modules that may not run; the rejection that ends first is first. */
  readonly rejected: Map<FileRef, Rejection>;
  queued: number;
  queuedBytes: number;
  lastAttempt: number;
  lastProvider: number;
  lastOrder: number;
  readonly totals: Totals;
}

/** One transition under way. */
export interface Step {
  readonly state: DispatcherState;
  readonly nowMs: number;
  readonly effects: Effect[];
}

export function createState(options: DispatcherOptions): DispatcherState {
  return {
    options: {
      maxQueue: MAX_QUEUE,
      maxQueueBytes: MAX_QUEUE_BYTES,
      queueTimeoutMs: QUEUE_TIMEOUT_MS,
      ...options,
    },
    nowMs: 0,
    tasks: new Map(),
    attempts: new Map(),
    providers: new Map(),
    olderProviders: 0,
    groups: new Map(),
    lanes: new Set(),
    timers: new TimerHeap(),
    warm: new Map(),
    durations: new Map(),
    rejected: new Map(),
    queued: 0,
    queuedBytes: 0,
    lastAttempt: 0,
    lastProvider: 0,
    lastOrder: 0,
    totals: {
      submitted: 0,
      placed: 0,
      requeued: 0,
      ignored: 0,
      slotDeaths: 0,
      modulesRejected: 0,
      finished: Object.fromEntries(REASONS.map((reason) => [reason, 0])) as Record<Reason, number>,
    },
  };
}
