/** A Python task of the existing programs, from its request to its response (wasimoff-v1 4.6 and 7.3). */

import { create } from "@bufbuild/protobuf";
import { WasimoffError } from "../errors.ts";
import type { Outcome } from "../outcome.ts";
import {
  type Task_Pyodide_Output,
  Task_Pyodide_OutputSchema as OutputSchema,
  type Task_Pyodide_Params,
  type Task_Pyodide_Request,
  type Task_Pyodide_Response,
  Task_Pyodide_ResponseSchema,
} from "../protocol/gen/wasimoff/v1/messages_pb.ts";
import { checkPackages, programOf } from "../protocol/python_codec.ts";
import { encodePythonError } from "../protocol/task_error_v1.ts";
import type { FileRef } from "../storage/file_store.ts";
import type { SlotFile, SlotPreopen, SlotTask } from "./slot.ts";
import type { TaskFilesV1 } from "./task_files_v1.ts";
import {
  limitsOf,
  MAX_RESULT_ARTIFACT_BYTES,
  MAX_RESULT_PICKLE_BYTES,
  type OutputsV1,
  resolve,
  runSlotWork,
  TaskFailure,
  type TaskPartsV1,
} from "./task_v1.ts";

/** What a script is called in tracebacks. */
const SCRIPT_NAME = "script.py";
/** A program comes in its task, and only one slot gets it: nobody looks for it by its content. */
const PROGRAM_REF: FileRef = `sha256:${"0".repeat(64)}`;

/** Runs a task. What it rejects with becomes an error of the envelope; the guest's own failures are in the response. */
export async function runPyodide(
  { info, params }: Task_Pyodide_Request,
  parts: TaskPartsV1,
  signal: AbortSignal,
): Promise<Task_Pyodide_Response> {
  const { python: version } = parts.options;
  if (version === undefined) throw new WasimoffError("unimplemented", "this provider runs no Python");
  if (info === undefined || params === undefined) {
    throw new WasimoffError("invalid_argument", "task has no info or no params");
  }
  checkPackages(params.packages);
  const result = await runSlotWork({
    ...{ parts, info, immediate: false },
    stdin: params.stdin ?? new Uint8Array(0),
    task: () => slotTask(params, parts),
    outputOf: (outcome, outputs) => outputOf(outcome, outputs, version),
  }, signal);
  return create(Task_Pyodide_ResponseSchema, { info, result });
}

async function slotTask(
  { run, packages, envs: env, rootfs, artifacts }: Task_Pyodide_Params,
  { options, files }: TaskPartsV1,
): Promise<SlotTask> {
  const { kind, bytes } = programOf({ run });
  const module: SlotFile = { ref: PROGRAM_REF, load: () => Promise.resolve(bytes) };
  return {
    ...{ module, env, artifacts },
    args: [SCRIPT_NAME],
    python: { kind, packages },
    preopens: rootfs === undefined ? [] : [await mounted(rootfs, files)],
    ...{ lenientArtifacts: false, deterministic: false },
    limits: { ...limitsOf(options), artifactBytes: MAX_RESULT_ARTIFACT_BYTES - MAX_RESULT_PICKLE_BYTES },
  };
}

/** A rootfs that cannot be had is an error of the envelope here. */
async function mounted(
  rootfs: NonNullable<Task_Pyodide_Params["rootfs"]>,
  files: TaskFilesV1,
): Promise<SlotPreopen> {
  const zip = await resolve(rootfs, files, new WasimoffError("not_found", "zip not found in storage"));
  return { guest: "/mnt", zip, readOnly: false };
}

function outputOf(outcome: Outcome, outputs: OutputsV1, version: string): Task_Pyodide_Output {
  const error = encodePythonError(outcome);
  if (error !== null) throw new TaskFailure("unknown", error);
  const [pickle, zip] = [outputs.result.bytes(), outputs.artifacts.bytes()];
  return create(OutputSchema, {
    ...{ version, stdout: outputs.stdout.bytes(), stderr: outputs.stderr.bytes() },
    ...(pickle.length > 0 && { pickle }),
    ...(zip.length > 0 && { artifacts: { blob: zip } }),
  });
}
