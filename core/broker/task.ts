/** A task as the broker's core knows it, whatever generation of the protocol it came by. */

import type { ByteSink, ByteSource } from "../byte_stream.ts";
import type { Code } from "../errors.ts";
import type { Outcome } from "../outcome.ts";
import type { PythonRun } from "../python_run.ts";
import type { FileRef } from "../storage/file_store.ts";
import type { TaskTrace } from "./task_trace.ts";

export type TaskId = string;

/** Labels by name; a task's `require` must be a subset of its provider's labels. */
export type Labels = Readonly<Record<string, string>>;

export interface TaskPreopen {
  readonly guest: string;
  /** A ZIP, or null for an empty directory. */
  readonly zip: FileRef | null;
  readonly readOnly: boolean;
}

export interface TaskSpec {
  /** A WASI program, or one in Python. */
  readonly module: FileRef;
  /** Left out for a WASI program. */
  readonly python?: PythonRun;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly preopens: readonly TaskPreopen[];
  readonly artifacts: readonly string[];
  /** Whether an empty directory stands for an artifact that is no regular file (wasimoff-v1 6.4); no patterns. */
  readonly lenientArtifacts: boolean;
  /** Wall time of the guest in milliseconds; null leaves it to the provider. */
  readonly timeoutMs: number | null;
  /** Linear memory in bytes; null leaves it to the provider. */
  readonly memoryBytes: number | null;
  /** CPU time of the guest in milliseconds; null for no limit but `timeoutMs`. */
  readonly cpuMs: number | null;
  /** Bytes the guest may write to files; null leaves it to the provider. */
  readonly diskBytes: number | null;
  /** Bytes of stdout and stderr together; null for any number. */
  readonly outputBytes: number | null;
  /** The same output on every host: seeded randomness, a clock that only sleeping moves. */
  readonly deterministic: boolean;
  /** Before all tasks without priority. */
  readonly priority: boolean;
  /** Unix milliseconds after which nobody wants the result; null for never. */
  readonly deadline: number | null;
  /** Placed at once or rejected. */
  readonly immediate: boolean;
  readonly require: Labels;
  /** How many providers may be tried, when providers are lost (at least 1). */
  readonly attempts: number;
}

/** Where a task's bytes come from and go to. The broker ends or aborts every sink before the task's end. */
export interface TaskIo {
  /** Bytes known at submission, any number: kept until the end, so that every attempt has them. */
  readonly stdinBytes: Uint8Array;
  /** A stream of further bytes after `stdinBytes`; null when those were all. */
  readonly stdin: ByteSource | null;
  readonly stdout: ByteSink;
  readonly stderr: ByteSink;
  readonly artifacts: ByteSink;
  /** For the pickle of a Python program's result; left out when nobody wants it. */
  readonly result?: ByteSink;
}

/** What a client learns at the end of its task. */
export interface TaskResult {
  readonly task: TaskId;
  readonly outcome: Outcome;
  /** Why the task was refused or gave up waiting; null for every other end. */
  readonly code: Code | null;
  /** Name of the provider that ran the last attempt; empty when none did. */
  readonly provider: string;
  /** How many attempts were placed. */
  readonly attempts: number;
  /** Milliseconds between submission and the start of the last attempt. */
  readonly queuedMs: number;
  /** Milliseconds the guest ran, as the provider says. */
  readonly durationMs: number;
  /** Of Pyodide, after a Python task; empty where its provider does not tell. */
  readonly pythonVersion?: string;
}

/** Who asks for a task and what it is called there, for providers and clients of wasimoff_v1; never checked. */
export interface TaskOrigin {
  /** Address of the client, or empty. */
  readonly requester: string;
  /** The client's own word for the task, or empty. */
  readonly reference: string;
  /** null when nobody wants one. */
  readonly trace: TaskTrace | null;
}

/** Where a task is, for people who wait. */
export interface TaskProgress {
  readonly task: TaskId;
  readonly state: "queued" | "running" | "retrying";
  /** Name of the provider; empty while queued. */
  readonly provider: string;
  readonly detail: string;
}
