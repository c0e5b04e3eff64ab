/** A WASI task of the existing programs, from its request to its response (wasimoff-v1 4.6 and 7.2). */

import { create } from "@bufbuild/protobuf";
import { WasimoffError } from "../errors.ts";
import type { Outcome } from "../outcome.ts";
import {
  type File,
  type Task_Metadata,
  Task_TraceEventSchema,
  type Task_Wasip1_Output,
  Task_Wasip1_OutputSchema as OutputSchema,
  type Task_Wasip1_Request,
  type Task_Wasip1_Response,
  Task_Wasip1_ResponseSchema,
} from "../protocol/gen/wasimoff/v1/messages_pb.ts";
import { encodeTaskError } from "../protocol/task_error_v1.ts";
import { CollectingSink } from "./collecting_sink.ts";
import { prefixed } from "./prefixed_source.ts";
import type { ProviderOptions } from "./provider_options.ts";
import { MAX_DESCRIPTORS, MAX_INODES, type SlotFile, type SlotLimits, type SlotTask } from "./slot.ts";
import type { SlotLine } from "./slot_line.ts";
import type { TaskFilesV1 } from "./task_files_v1.ts";
import { TaskTrace } from "./task_trace.ts";

/** Of stdout and stderr together. With the artifacts they are one message, of which a peer like us takes 64 MiB. */
const MAX_RESULT_OUTPUT_BYTES = 32 * 1024 * 1024;
/** Of the ZIP of artifacts. */
export const MAX_RESULT_ARTIFACT_BYTES = 31 * 1024 * 1024;

/** Of the result of a Python task, which has so much less for its artifacts. */
export const MAX_RESULT_PICKLE_BYTES = 16 * 1024 * 1024;

export interface TaskPartsV1 {
  readonly options: ProviderOptions;
  readonly files: TaskFilesV1;
  readonly line: SlotLine;
}

/** The end of a task that is final; everything else that is thrown makes the broker try again elsewhere. */
export class TaskFailure extends WasimoffError {}

/** The end of a task as it is answered. */
type Result<T> = { readonly case: "ok"; readonly value: T } | {
  readonly case: "error";
  readonly value: string;
};

/** What a task of any kind needs to run. */
export interface SlotWork<T> {
  readonly task: () => Promise<SlotTask>;
  readonly stdin: Uint8Array;
  readonly parts: TaskPartsV1;
  readonly info: Task_Metadata;
  /** Whether it is refused when it would have to wait. */
  readonly immediate: boolean;
  /** Makes the answer; throws `TaskFailure` for an end that is told as an error. */
  readonly outputOf: (outcome: Outcome, outputs: OutputsV1) => T;
}

/** Runs a task. What it rejects with becomes an error of the envelope; the guest's own failures are in the response. */
export async function runWasip1(
  { info, params, qos }: Task_Wasip1_Request,
  parts: TaskPartsV1,
  signal: AbortSignal,
): Promise<Task_Wasip1_Response> {
  if (info === undefined || params === undefined) {
    throw new WasimoffError("invalid_argument", "task has no info or no params");
  }
  const { binary, rootfs, args, envs: env, artifacts } = params;
  const result = await runSlotWork({
    ...{ parts, info, outputOf, immediate: qos?.immediate ?? false },
    stdin: params.stdin ?? new Uint8Array(0),
    task: async () => {
      if (binary === undefined) throw new WasimoffError("invalid_argument", "task has no binary");
      return {
        ...await filesOf(binary, rootfs, parts.files),
        ...{ args, env, artifacts, lenientArtifacts: true, limits: limitsOf(parts.options) },
        deterministic: false,
      };
    },
  }, signal);
  return create(Task_Wasip1_ResponseSchema, { info, result });
}

/** Runs a task of either kind in a slot, and marks its trace: that of `info`, all of which is echoed. */
export async function runSlotWork<T>(work: SlotWork<T>, signal: AbortSignal): Promise<Result<T>> {
  const trace = new TaskTrace((event, unixnano) =>
    work.info.trace?.events.push(create(Task_TraceEventSchema, { event, unixnano }))
  );
  trace.received();
  const result = await runTraced(work, trace, signal).catch((error) => taskError(error, signal));
  trace.answered(result.case === "ok");
  return result;
}

async function runTraced<T>(
  { task, stdin, parts: { options, line }, immediate, outputOf }: SlotWork<T>,
  trace: TaskTrace,
  signal: AbortSignal,
): Promise<Result<T>> {
  // Others go by the first three letters (wasimoff-v1 4.6).
  if (immediate && line.idle === 0) {
    throw new TaskFailure("resource_exhausted", "qos: no idle workers for immediate mode");
  }
  const leave = await line.enter(signal);
  try {
    trace.taken();
    const slotTask = await task();
    signal.throwIfAborted();
    const outputs = newOutputs();
    const io = { stdin: prefixed(stdin, null), ...outputs };
    const { outcome, durationMs } = await options.runInSlot(slotTask, io, signal);
    trace.ran(durationMs);
    return { case: "ok", value: outputOf(outcome, outputs) };
  } finally {
    leave();
  }
}

export type OutputsV1 = ReturnType<typeof newOutputs>;

function newOutputs() {
  return {
    stdout: new CollectingSink(MAX_RESULT_OUTPUT_BYTES),
    stderr: new CollectingSink(MAX_RESULT_OUTPUT_BYTES),
    artifacts: new CollectingSink(MAX_RESULT_ARTIFACT_BYTES),
    result: new CollectingSink(MAX_RESULT_PICKLE_BYTES),
  };
}

function outputOf(outcome: Outcome, { stdout, stderr, artifacts }: OutputsV1): Task_Wasip1_Output {
  const status = exitStatus(outcome);
  const zip = artifacts.bytes();
  const blob = zip.length === 0 ? {} : { artifacts: { blob: zip } };
  return create(OutputSchema, { status, stdout: stdout.bytes(), stderr: stderr.bytes(), ...blob });
}

/** Signed, as `proc_exit(-1)` gives -1. What is not the guest's exit is final all the same: it would happen again. */
function exitStatus(outcome: Outcome): number {
  if (outcome.reason !== "exit") throw new TaskFailure("unknown", encodeTaskError(outcome));
  return outcome.status | 0;
}

/** Rejects with what is no end of the task. */
function taskError(error: unknown, signal: AbortSignal): Result<never> {
  if (error instanceof TaskFailure) return { case: "error", value: error.message };
  if (signal.aborted) {
    return { case: "error", value: `cancelled: ${WasimoffError.from(signal.reason).message}` };
  }
  throw error;
}

async function filesOf(
  binary: File,
  rootfs: File | undefined,
  files: TaskFilesV1,
): Promise<Pick<SlotTask, "module" | "preopens">> {
  const module = await resolve(binary, files, new WasimoffError("not_found", "binary not found in storage"));
  if (rootfs === undefined) return { module, preopens: [{ guest: ".", zip: null, readOnly: false }] };
  const zip = await resolve(rootfs, files, new TaskFailure("not_found", "zip not found in storage"));
  return { module, preopens: [{ guest: "/", zip, readOnly: false }] };
}

/** A file that nobody has is told as the existing providers do; one that could not be fetched now says why. */
export async function resolve(file: File, files: TaskFilesV1, missing: WasimoffError): Promise<SlotFile> {
  const resolved = await files.resolve(file);
  if (resolved === null) throw missing;
  const load = () =>
    resolved.load().catch((error) => {
      throw WasimoffError.from(error).code === "not_found" ? missing : error;
    });
  return { ref: resolved.ref, load };
}

/** What every task may have, as none says its own. */
export function limitsOf({ taskMemoryBytes, taskTimeoutMs, taskDiskBytes }: ProviderOptions): SlotLimits {
  return {
    timeoutMs: taskTimeoutMs,
    cpuMs: null,
    memoryBytes: taskMemoryBytes,
    diskBytes: taskDiskBytes,
    inodes: MAX_INODES,
    descriptors: MAX_DESCRIPTORS,
    outputBytes: MAX_RESULT_OUTPUT_BYTES,
    artifactBytes: MAX_RESULT_ARTIFACT_BYTES,
  };
}
