/** A WASI task of the existing programs, from its request to its response (wasimoff-v1 4.6 and 7.2). */

import { create } from "@bufbuild/protobuf";
import { WasimoffError } from "../errors.ts";
import type { Outcome } from "../outcome.ts";
import {
  type File,
  Task_TraceEventSchema,
  type Task_Wasip1_Output,
  Task_Wasip1_OutputSchema as OutputSchema,
  type Task_Wasip1_Params,
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
const MAX_RESULT_ARTIFACT_BYTES = 31 * 1024 * 1024;

export interface TaskPartsV1 {
  readonly options: ProviderOptions;
  readonly files: TaskFilesV1;
  readonly line: SlotLine;
}

/** The end of a task that is final; everything else that is thrown makes the broker try again elsewhere. */
class TaskFailure extends WasimoffError {}

type Result = Exclude<Task_Wasip1_Response["result"], { case: undefined }>;

/** Runs a task. What it rejects with becomes an error of the envelope; the guest's own failures are in the response. */
export async function runWasip1(
  { info, params, qos }: Task_Wasip1_Request,
  parts: TaskPartsV1,
  signal: AbortSignal,
): Promise<Task_Wasip1_Response> {
  if (info === undefined || params === undefined) {
    throw new WasimoffError("invalid_argument", "task has no info or no params");
  }
  // Appended to what came with the task, all of which is echoed.
  const trace = new TaskTrace((event, unixnano) =>
    info.trace?.events.push(create(Task_TraceEventSchema, { event, unixnano }))
  );
  trace.received();
  const task = { params, immediate: qos?.immediate ?? false };
  const result = await runTraced(task, { ...parts, trace }, signal)
    .catch((error) => taskError(error, signal));
  trace.answered(result.case === "ok");
  return create(Task_Wasip1_ResponseSchema, { info, result });
}

interface Task {
  readonly params: Task_Wasip1_Params;
  readonly immediate: boolean;
}

async function runTraced(
  { params, immediate }: Task,
  { options, files, line, trace }: TaskPartsV1 & { readonly trace: TaskTrace },
  signal: AbortSignal,
): Promise<Result> {
  const { binary } = params;
  if (binary === undefined) throw new WasimoffError("invalid_argument", "task has no binary");
  // Others go by the first three letters (wasimoff-v1 4.6).
  if (immediate && line.idle === 0) {
    throw new TaskFailure("resource_exhausted", "qos: no idle workers for immediate mode");
  }
  const leave = await line.enter(signal);
  try {
    trace.taken();
    const task = {
      ...await filesOf(binary, params.rootfs, files),
      ...{ args: params.args, env: params.envs, artifacts: params.artifacts },
      lenientArtifacts: true,
      limits: limitsOf(options),
      deterministic: false,
    };
    signal.throwIfAborted();
    const outputs = newOutputs();
    const stdin = prefixed(params.stdin ?? new Uint8Array(0), null);
    const { outcome, durationMs } = await options.runInSlot(task, { stdin, ...outputs }, signal);
    trace.ran(durationMs);
    return { case: "ok", value: outputOf(exitStatus(outcome), outputs) };
  } finally {
    leave();
  }
}

function newOutputs() {
  return {
    stdout: new CollectingSink(MAX_RESULT_OUTPUT_BYTES),
    stderr: new CollectingSink(MAX_RESULT_OUTPUT_BYTES),
    artifacts: new CollectingSink(MAX_RESULT_ARTIFACT_BYTES),
  };
}

function outputOf(
  status: number,
  { stdout, stderr, artifacts }: ReturnType<typeof newOutputs>,
): Task_Wasip1_Output {
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
function taskError(error: unknown, signal: AbortSignal): Result {
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
async function resolve(file: File, files: TaskFilesV1, missing: WasimoffError): Promise<SlotFile> {
  const resolved = await files.resolve(file);
  if (resolved === null) throw missing;
  const load = () =>
    resolved.load().catch((error) => {
      throw WasimoffError.from(error).code === "not_found" ? missing : error;
    });
  return { ref: resolved.ref, load };
}

function limitsOf({ taskMemoryBytes, taskTimeoutMs, taskDiskBytes }: ProviderOptions): SlotLimits {
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
