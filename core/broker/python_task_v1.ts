/** Python tasks of the existing clients in the words of the broker's core, and back (wasimoff-v1 6.4, 7.3). */

import { create } from "@bufbuild/protobuf";
import {
  type Task_Pyodide_Params,
  type Task_Pyodide_Response,
  Task_Pyodide_ResponseSchema,
  type Task_QoS,
} from "../protocol/gen/wasimoff/v1/messages_pb.ts";
import { checkPackages } from "../protocol/python_codec.ts";
import { encodePythonError } from "../protocol/task_error_v1.ts";
import type { PythonKind } from "../python_run.ts";
import type { TaskOrigin, TaskResult, TaskSpec } from "./task.ts";
import { checkTexts, infoV1, type TaskFiles, type TaskOutput, wishesV1 } from "./task_v1.ts";

/** What a script is called in tracebacks: there are no arguments in v1. */
const SCRIPT_NAME = "script.py";
/** Where a rootfs goes. */
const ROOTFS_PATH = "/mnt";

/** `files.module` is the program, stored. Throws `invalid_argument` for texts that no guest could get. */
export function decodePythonTaskV1(
  { packages, envs, artifacts }: Task_Pyodide_Params,
  qos: Task_QoS | undefined,
  { kind, files: { module, rootfs } }: { readonly kind: PythonKind; readonly files: TaskFiles },
): TaskSpec {
  checkTexts([...packages, ...envs, ...artifacts]);
  checkPackages(packages);
  return {
    ...{ module, args: [SCRIPT_NAME], env: envs, artifacts },
    python: { kind, packages },
    lenientArtifacts: false,
    preopens: rootfs === null ? [] : [{ guest: ROOTFS_PATH, zip: rootfs, readOnly: false }],
    ...wishesV1(qos),
  };
}

/** The answer to a task that came to an end of its own. */
export function encodePythonResponseV1(
  result: TaskResult,
  { stdout, stderr, artifacts, pickle }: TaskOutput & { readonly pickle: Uint8Array },
  origin: TaskOrigin,
): Task_Pyodide_Response {
  const info = infoV1(result, origin);
  const { outcome, pythonVersion = "" } = result;
  const error = encodePythonError(outcome);
  if (error !== null) {
    return create(Task_Pyodide_ResponseSchema, { info, result: { case: "error", value: error } });
  }
  const value = {
    ...{ stdout, stderr },
    ...(pickle.length > 0 && { pickle }),
    ...(pythonVersion !== "" && { version: pythonVersion }),
    ...(artifacts !== null && { artifacts: { blob: artifacts } }),
  };
  return create(Task_Pyodide_ResponseSchema, { info, result: { case: "ok", value } });
}
