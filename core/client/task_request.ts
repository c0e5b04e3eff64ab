/** A task as a client asks for it. */

import type { ByteSink, ByteSource } from "../byte_stream.ts";
import type { Outcome } from "../outcome.ts";
import { encodePython } from "../protocol/python_codec.ts";
import type { PythonRun } from "../python_run.ts";
import type { TaskTrace } from "./task_trace.ts";

export interface TaskRequest {
  /** A stored name or a `sha256:` ref. */
  readonly module: string;
  /** Set for a module that is a program in Python; else it is WASI. */
  readonly python?: PythonRun;
  /** Content of a program in Python, for brokers of wasimoff_v1: they store none. */
  readonly program?: Uint8Array;
  /** argv, with argv[0]. */
  readonly args: readonly string[];
  /** `KEY=value` each. */
  readonly env?: readonly string[];
  /** Directories of the guest; each starts with the content of a stored ZIP, or empty. */
  readonly preopens?: readonly {
    readonly guest: string;
    readonly zip?: string;
    readonly readOnly?: boolean;
  }[];
  /** Paths and patterns of files and directories of the guest that come back as a ZIP. */
  readonly artifacts?: readonly string[];
  /** Wall time of the guest; the provider's own limit when absent. */
  readonly timeoutMs?: number;
  /** Linear memory of the guest; the provider's own limit when absent. */
  readonly memoryBytes?: number;
  /** CPU time of the guest; no limit of its own when absent. */
  readonly cpuMs?: number;
  /** Bytes the guest may write to files; the provider's own limit when absent. */
  readonly diskBytes?: number;
  /** Bytes of stdout and stderr together; any number when absent. */
  readonly outputBytes?: number;
  /** The same output on every host: seeded randomness, a clock that only sleeping moves. */
  readonly deterministic?: boolean;
  readonly priority?: boolean;
  /** Unix milliseconds after which nobody wants the result. */
  readonly deadline?: number;
  /** Placed at once or rejected. */
  readonly immediate?: boolean;
  /** Labels the provider must have. */
  readonly require?: Readonly<Record<string, string>>;
  /** How many providers may be tried when providers are lost; the broker's default when absent. */
  readonly attempts?: number;
  /** Whether the result tells where the task was when. */
  readonly trace?: boolean;
}

export interface TaskStreams {
  /** First bytes of stdin, up to 64 KiB with args and env: they travel with the request. */
  readonly stdinBytes?: Uint8Array;
  /** What follows them. */
  readonly stdin?: ByteSource;
  readonly stdout: ByteSink;
  readonly stderr: ByteSink;
  /** Gets one ZIP; needed when `artifacts` are asked for. */
  readonly artifacts?: ByteSink;
  /** Gets the pickle of a Python program's result, when that is not None. */
  readonly result?: ByteSink;
}

export interface TaskProgress {
  readonly task: string;
  readonly state: "queued" | "running" | "retrying";
  /** Name of the provider, empty while queued. */
  readonly provider: string;
  readonly detail: string;
}

export interface TaskResult {
  readonly task: string;
  readonly outcome: Outcome;
  /** Name of the provider that ran the last attempt. */
  readonly provider: string;
  readonly attempts: number;
  readonly queuedMs: number;
  readonly durationMs: number;
  /** When it was asked for, and somebody has told. */
  readonly trace?: TaskTrace;
}

/** The fields of RunTask, but for its streams. */
export function encodeTaskRequest(task: TaskRequest) {
  return {
    module: task.module,
    args: [...task.args],
    env: [...task.env ?? []],
    preopens: (task.preopens ?? []).map(({ zip = "", readOnly = false, guest }) => ({
      guest,
      zip,
      readOnly,
    })),
    artifacts: [...task.artifacts ?? []],
    limits: {
      timeoutMs: BigInt(task.timeoutMs ?? 0),
      memory: BigInt(task.memoryBytes ?? 0),
      cpuMs: BigInt(task.cpuMs ?? 0),
      disk: BigInt(task.diskBytes ?? 0),
      output: BigInt(task.outputBytes ?? 0),
    },
    qos: {
      priority: task.priority ?? false,
      deadline: BigInt(task.deadline ?? 0),
      immediate: task.immediate ?? false,
    },
    require: { ...task.require },
    attempts: task.attempts ?? 0,
    deterministic: task.deterministic ?? false,
    trace: task.trace ?? false,
    ...(task.python !== undefined && { python: encodePython(task.python) }),
  };
}
