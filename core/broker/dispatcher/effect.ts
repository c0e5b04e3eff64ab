/** What the dispatcher wants done; its owner does it, in order. */

import type { Code, WasimoffError } from "../../errors.ts";
import type { Outcome } from "../../outcome.ts";
import type { TaskId } from "../task.ts";
import type { AttemptId, ProviderId } from "./event.ts";

export interface FinishEffect {
  readonly kind: "finish";
  readonly task: TaskId;
  readonly outcome: Outcome;
  /** For a task that was refused or gave up waiting: the code an endpoint answers with; else null. */
  readonly code: Code | null;
  /** The provider of the last attempt; null when none was placed. */
  readonly provider: ProviderId | null;
  /** How many attempts were placed. */
  readonly attempts: number;
  /** Milliseconds between submission and the start of the last attempt (or the end, without one). */
  readonly queuedMs: number;
  /** Milliseconds the guest ran, as the provider says; 0 when none did to its end. */
  readonly durationMs: number;
}

export type Effect =
  /** Run the task on this provider; its progress is now "running". */
  | {
    readonly kind: "start";
    readonly task: TaskId;
    readonly attempt: AttemptId;
    readonly provider: ProviderId;
  }
  /** Tell the provider to stop; it still answers. */
  | {
    readonly kind: "cancelAttempt";
    readonly attempt: AttemptId;
    readonly provider: ProviderId;
    readonly reason: WasimoffError;
  }
  /** The task waits, at first or after an attempt; `detail` says why. */
  | {
    readonly kind: "progress";
    readonly task: TaskId;
    readonly state: "queued" | "retrying";
    readonly detail: string;
  }
  /** The one end of a task. */
  | FinishEffect;
