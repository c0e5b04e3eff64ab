/** The dispatcher's bounds and waiting times, and what its owner may set. */

import type { TaskLog } from "./task_log.ts";

/** Tasks that may wait; more are refused. */
export const MAX_QUEUE = 10_000;
/** Memory that waiting tasks may hold: a tenth of what a small machine has. */
export const MAX_QUEUE_BYTES = 256 * 1024 * 1024;
/** How long a task waits while nobody connected could ever run it: long enough to start a provider. */
export const QUEUE_TIMEOUT_MS = 5 * 60_000;
/** How long a task avoids providers that failed it when no other can run it: a passing trouble may be over then. */
export const RETRY_PAUSE_MS = 1_000;
/** Beyond its timeout an attempt gets this for loading, reporting and one broken connection. */
export const ATTEMPT_GRACE_MS = 10_000;
/** How long a provider may take to acknowledge a cancel: the lease of a session. */
export const CANCEL_ACK_MS = 10_000;

/** How long nobody may run a module under which slots of two providers died. */
export const REJECTED_MS = 10 * 60_000;
/** Rejected modules that are remembered, the latest: each has cost two slots. */
export const MAX_REJECTED_MODULES = 1_024;
/** Modules that one provider may blame within `REJECTED_MS`: with more the fault is its own, be it full or lying. */
export const MAX_BLAMED_MODULES = 4;

/** Different requirements that may wait at once: a slot that frees looks at the head of each. */
export const MAX_GROUPS = 256;
/** Lanes (requirements and providers to avoid) that may wait at once, for the same reason. */
export const MAX_LANES = 1_024;
/** More slots than a host has; a provider that claims more is not believed. */
export const MAX_SLOTS = 1_024;
/** Modules remembered for each provider, run or announced: about what it keeps compiled. */
export const MAX_MODULES_PER_PROVIDER = 64;
/** Modules whose mean duration is remembered, to compare providers by. */
export const MAX_MEASURED_MODULES = 1_024;
/** Providers compared for one placement: choosing the best of eight is close to the best of all. */
export const MAX_CANDIDATES = 8;
/** Kept of a peer's message: more is no one line for people. */
export const MAX_MESSAGE_CHARS = 1_000;
/** Timers handled by one `tick`, so that a crowd of deadlines does not stall the loop (a few milliseconds). */
export const MAX_DUE_PER_TICK = 256;

export interface DispatcherOptions {
  /** Starts every attempt id; unique for this process, so that ids of an earlier run are never known. */
  readonly attemptPrefix: string;
  readonly log: TaskLog;
  readonly maxQueue?: number;
  readonly maxQueueBytes?: number;
  readonly queueTimeoutMs?: number;
}
