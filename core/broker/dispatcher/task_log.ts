/** Where every change of a task's state is written, so that a durable broker can start from it again. */

import type { Outcome } from "../../outcome.ts";
import type { TaskId, TaskSpec } from "../task.ts";
import type { AttemptId, ProviderId } from "./event.ts";

export interface FinishedEntry {
  readonly kind: "finished";
  readonly atMs: number;
  readonly task: TaskId;
  readonly outcome: Outcome;
  readonly provider: ProviderId | null;
  readonly attempts: number;
}

export type TaskLogEntry =
  | { readonly kind: "submitted"; readonly atMs: number; readonly task: TaskId; readonly spec: TaskSpec }
  | {
    readonly kind: "placed";
    readonly atMs: number;
    readonly task: TaskId;
    readonly attempt: AttemptId;
    readonly provider: ProviderId;
  }
  /** The last attempt was lost, the task is to be placed again. */
  | { readonly kind: "requeued"; readonly atMs: number; readonly task: TaskId; readonly cause: string }
  | FinishedEntry;

/** Entries come in order; per task: submitted, (placed, (requeued, placed)*)?, finished. */
export interface TaskLog {
  append(entry: TaskLogEntry): void;
}
