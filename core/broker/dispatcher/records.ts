/** What the dispatcher knows of tasks, attempts, providers and of who waits for whom. */

import type { WasimoffError } from "../../errors.ts";
import type { FileRef } from "../../storage/file_store.ts";
import type { Labels, TaskId, TaskSpec } from "../task.ts";
import type { AttemptId, Generation, ProviderId } from "./event.ts";
import type { Linked, LinkedQueue } from "./linked_queue.ts";
import type { RotatingSet } from "./rotating_set.ts";
import type { HeapEntry } from "./timer_heap.ts";

/** A task that has not ended. Its timer is its deadline. Between transitions one of `lane`, `attempt` is set. */
export interface Task extends HeapEntry, Linked<Task> {
  readonly kind: "task";
  readonly id: TaskId;
  readonly spec: TaskSpec;
  readonly bytes: number;
  readonly submittedMs: number;
  /** The oldest protocol that can carry it, as far as is known. */
  generation: Generation;
  /** What it requires; another object for the same key when the group was forgotten meanwhile. */
  group: Group;
  /** Where it waits. */
  lane: Lane | null;
  /** When it began to wait there. */
  waitingMs: number;
  /** Its place among all that ever waited. */
  order: number;
  /** What runs it, or is being cancelled. */
  attempt: Attempt | null;
  /** Attempts placed so far. */
  attempts: number;
  /** Start of the last attempt. */
  startedMs: number;
  lastProvider: ProviderId | null;
  /** Connected providers that failed it. */
  avoid: readonly Provider[];
  /** The slot that died under it; a second one ends it. */
  death: SlotDeath | null;
  /** How often a provider has sent it back because all slots were taken. */
  bounces: number;
  /** Why it cannot be run again; null while it can. */
  unrepeatable: string | null;
  /** Why its last attempt was lost. */
  lastCause: string;
}

/** A slot that died under a task without a known cause. */
export interface SlotDeath {
  readonly provider: Provider;
  readonly reason: "trap" | "memory";
  /** What the provider says of it. */
  readonly message: string;
}

/** Why a module may not run, and until when. */
export interface Rejection {
  readonly untilMs: number;
  /** For people. */
  readonly cause: string;
}

/** A slot of a provider in use. Its timer is the guard over its running time, then over its cancel. */
export interface Attempt extends HeapEntry {
  readonly kind: "attempt";
  readonly id: AttemptId;
  readonly provider: Provider;
  /** Null when nobody waits for it any more and only its slot is still taken. */
  task: Task | null;
  /** Why it is to end; null while it is not. */
  cancelled: WasimoffError | null;
}

/** How a provider came to hold a module. */
export type Warmth = "ran" | "cached";

/** A provider's session. */
export interface Provider {
  readonly id: ProviderId;
  readonly name: string;
  /** Counts the sessions; the last tie-break. */
  readonly number: number;
  readonly generation: Generation;
  readonly labels: Labels;
  readonly taskMemoryBytes: number;
  readonly taskTimeoutMs: number;
  /** Whether it runs Python. */
  readonly python: boolean;
  slots: number;
  /** Attempts that it lets wait beyond its slots. */
  backlog: number;
  suspect: boolean;
  connected: boolean;
  /** Everything that takes one of its slots. */
  readonly attempts: Set<Attempt>;
  /** The groups whose requirements it meets, and the bucket it stands in there: `level` or higher, 0 for none. */
  readonly groups: Map<Group, number>;
  /** Least recently used first. */
  readonly modules: Map<FileRef, Warmth>;
  /** Modules under which its slots died, and when that was last; the latest come last. */
  readonly blamed: Map<FileRef, number>;
  /** 0 while it can take nothing, 1 while an attempt would wait there, else by generation and free slots. */
  level: number;
  /** The lowest bucket it may stand in; when `level` rises above this, it is moved up. */
  listedLevel: number;
  /** Moving mean of what an attempt takes beyond its guest. */
  latencyMs: number;
  /** Moving mean of how many times faster than others it is. */
  speed: number;
}

/** All tasks with the same requirements, and the providers that meet them. */
export interface Group {
  readonly key: string;
  readonly require: readonly (readonly [string, string])[];
  readonly memoryBytes: number | null;
  readonly timeoutMs: number | null;
  /** Providers of an older generation cannot take them. */
  readonly generation: Generation;
  /** Whether they are in Python. */
  readonly python: boolean;
  /** Providers that meet them and are not draining. */
  serving: number;
  /** Providers that can take an attempt, by their level or the higher one they had when last met here. */
  readonly buckets: readonly RotatingSet<Provider>[];
  /** Lanes with waiting tasks. */
  readonly lanes: Map<string, Lane>;
}

/** Waiting tasks of one group that avoid the same providers. Its timer is the queue timeout of its first. */
export interface Lane extends HeapEntry {
  readonly kind: "lane";
  readonly key: string;
  readonly group: Group;
  /** Retried tasks go before fresh ones of their class. */
  readonly retried: boolean;
  readonly avoid: readonly Provider[];
  readonly priority: LinkedQueue<Task>;
  readonly normal: LinkedQueue<Task>;
  length: number;
  /** Since when no connected provider could take its tasks; null while one could. */
  unservedMs: number | null;
}
