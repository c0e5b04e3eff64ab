/** Everything that can happen to the dispatcher. */

import type { Code, WasimoffError } from "../../errors.ts";
import type { Outcome } from "../../outcome.ts";
import type { FileRef } from "../../storage/file_store.ts";
import type { Labels, TaskId, TaskSpec } from "../task.ts";

/** One peer's session as a provider: a new session is a new id. */
export type ProviderId = string;
/** Of the protocol that a peer speaks: 1 is that of the existing programs. */
export type Generation = 1 | 2;
/** Unique for ever, so that a late answer is never taken for another attempt's. */
export type AttemptId = string;

export interface JoinEvent {
  readonly kind: "join";
  readonly provider: ProviderId;
  /** For people. */
  readonly name: string;
  readonly generation: Generation;
  readonly slots: number;
  readonly labels: Labels;
  /** Files it claims to hold, most recently used first: a hint. */
  readonly cached: readonly FileRef[];
  /** The most a task may ask for, bytes; `Infinity` when it does not say. */
  readonly taskMemoryBytes: number;
  /** The most a task may ask for, and what it gets when it does not ask; `Infinity` when it does not say. */
  readonly taskTimeoutMs: number;
  /** Version of Pyodide for Python tasks; left out when it takes none. */
  readonly python?: string;
}

export interface StatusEvent {
  readonly kind: "status";
  readonly provider: ProviderId;
  readonly slots: number;
  /** Attempts that may wait there beyond the slots: its tasks are so short that the way to it costs more. */
  readonly backlog: number;
}

export interface FilesEvent {
  readonly kind: "files";
  readonly provider: ProviderId;
  /** Files it claims to hold since lately: a hint, as in its joining. */
  readonly added: readonly FileRef[];
  readonly removed: readonly FileRef[];
}

export interface SubmitEvent {
  readonly kind: "submit";
  readonly task: TaskId;
  readonly spec: TaskSpec;
  /** Memory it holds while it waits. */
  readonly bytes: number;
}

export interface EndedEvent {
  readonly kind: "ended";
  readonly provider: ProviderId;
  readonly attempt: AttemptId;
  readonly outcome: Outcome;
  /** What the guest took, as the provider says. */
  readonly durationMs: number;
  /** What the attempt took, as the broker saw it. */
  readonly elapsedMs: number;
}

export interface FailedEvent {
  readonly kind: "failed";
  readonly provider: ProviderId;
  readonly attempt: AttemptId;
  readonly code: Code;
  readonly message: string;
}

export type DispatcherEvent =
  /** A client wants a task done. */
  | SubmitEvent
  /** Its client left or asked; the code `deadline_exceeded` makes it a timeout. */
  | { readonly kind: "cancel"; readonly task: TaskId; readonly reason: WasimoffError }
  /** The task consumed what cannot be given twice: when its attempt is lost, so is the task. */
  | { readonly kind: "unrepeatable"; readonly task: TaskId; readonly why: string }
  /** A provider's session began. */
  | JoinEvent
  /** A provider has more or fewer slots; 0 is draining; it may run more than it has. */
  | StatusEvent
  /** A provider has got files, or dropped some. */
  | FilesEvent
  /** A provider fell silent (no new attempts), or was heard again. */
  | { readonly kind: "suspect"; readonly provider: ProviderId; readonly suspect: boolean }
  /** A provider's lease ended or it said goodbye: its attempts are lost. */
  | { readonly kind: "leave"; readonly provider: ProviderId }
  /** The provider is done with an attempt whose output is still on its way to the client. */
  | { readonly kind: "answered"; readonly provider: ProviderId; readonly attempt: AttemptId }
  /** An attempt came to its end, also when the guest failed; only the death of a slot is tried once more. */
  | EndedEvent
  /**
   * An attempt could not be carried out; the code decides whether another provider gets it. `out_of_range` of the
   * first generation: its protocol cannot carry the task.
   */
  | FailedEvent
  /** The time of `nextWakeMs` has come. */
  | { readonly kind: "tick" };
