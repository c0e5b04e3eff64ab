/** `--job`: task files of the existing clients, the single form and the older ones with several tasks. */

import { fromJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { WasimoffError } from "../core/errors.ts";
import {
  type File,
  type Task_Wasip1_Request,
  Task_Wasip1_RequestSchema,
} from "../core/protocol/gen/wasimoff/v1/messages_pb.ts";
import { isFileRef } from "../core/storage/file_store.ts";
import type { SubmitTask } from "./submit_task.ts";
import { usageError } from "./usage_error.ts";

/** A task of a file: everything travels with it, its input too. */
export interface JobTask extends SubmitTask {
  readonly stdin: Uint8Array;
}

/** Longest file that is read: modules and input may be in it. */
const MAX_JOB_FILE_BYTES = 256 * 1024 * 1024;
/** Tasks of one file. */
const MAX_JOB_TASKS = 10_000;
/** What only Python tasks have (wasimoff-v1 1.2). */
const PYTHON_FIELDS = ["pyodide", "script", "pickle", "packages"];

export async function readJobFile(path: string): Promise<JobTask[]> {
  try {
    return parseJob(await readText(path));
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    const detail = missing ? "there is no such file" : WasimoffError.from(error).message;
    throw usageError(`task file "${path}": ${detail}`, error);
  }
}

/** Devices and pipes have no size to go by. */
async function readText(path: string): Promise<string> {
  const { readable } = await Deno.open(path);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of readable) {
    size += chunk.length;
    if (size > MAX_JOB_FILE_BYTES) throw usageError("it is too large for a task file");
    chunks.push(chunk);
  }
  return await new Blob(chunks).text();
}

/**
 * Reads the JSON of `Task.Wasip1.Request` or of its `Params` (wasimoff-v1 1.2); of several with a `parent`, whose
 * fields each task inherits that does not have them (12); or `bin`, `envs` and `exec` (13.6).
 */
export function parseJob(text: string): JobTask[] {
  const document = object(parseJson(text));
  const requests = "exec" in document || "bin" in document
    ? readExecutions(document)
    : "tasks" in document
    ? readTasks(document)
    : [asRequest(document)];
  if (requests.length === 0) throw usageError("it has no tasks");
  if (requests.length > MAX_JOB_TASKS) throw usageError(`it has more than ${MAX_JOB_TASKS} tasks`);
  return requests.map((request, index) => {
    try {
      return jobTask(fromJson(Task_Wasip1_RequestSchema, request));
    } catch (error) {
      const where = requests.length === 1 ? "" : `task ${index + 1}: `;
      throw usageError(where + WasimoffError.from(error).message, error);
    }
  });
}

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usageError(`it is no JSON: ${(error as Error).message}`, error);
  }
}

/** `{parent, tasks}`. */
function readTasks({ parent, tasks = null, ...rest }: JsonObject): JsonObject[] {
  refuseRest(rest);
  if (!Array.isArray(tasks)) throw usageError('"tasks" is no list');
  const inherited = paramsOf(asRequest(object(parent ?? {})));
  return tasks.map((task) => {
    const request = asRequest(object(task));
    return { ...request, params: { ...inherited, ...paramsOf(request) } };
  });
}

/** `{bin, envs, exec: [{args, envs, stdin, datafile}], trace}`: the program's name is argv[0] there. */
function readExecutions({ bin = null, envs = [], exec = null, trace, ...rest }: JsonObject): JsonObject[] {
  refuseRest(rest);
  if (typeof bin !== "string" || !Array.isArray(exec)) {
    throw usageError('"bin" is no name, or "exec" no list');
  }
  return exec.map((one) => {
    const { args = [], envs: own = [], stdin = "", datafile, loadfs, ...unknown } = object(one);
    refuseRest(unknown);
    if (typeof stdin !== "string") throw usageError('"stdin" is no text');
    if (loadfs !== undefined) {
      throw usageError('"loadfs" is not spoken any more: give the files as a ZIP in "rootfs"');
    }
    const params = {
      binary: { ref: bin },
      args: [bin, ...list(args)],
      envs: [...list(own), ...list(envs)],
      stdin: new TextEncoder().encode(stdin).toBase64(),
      artifacts: datafile === undefined ? [] : [datafile],
    };
    return { params, ...(trace ? { info: { trace: {} } } : {}) };
  });
}

/** A request, whatever its parameters are called; bare parameters too. */
function asRequest(value: JsonObject): JsonObject {
  refusePython(value);
  if ("params" in value) {
    if (typeof value.params === "object" && value.params !== null) refusePython(value.params);
    return value;
  }
  if ("wasip1" in value) {
    const { wasip1, ...rest } = value;
    return { ...rest, params: wasip1! };
  }
  return { params: value };
}

function refusePython(value: object): void {
  const kind = PYTHON_FIELDS.find((name) => name in value);
  if (kind === undefined) return;
  throw usageError(`it is a Python task ("${kind}"): submit its script with --python`);
}

function paramsOf({ params = {} }: JsonObject): JsonObject {
  const set = Object.entries(object(params!)).filter(([, value]) => value !== null);
  return Object.fromEntries(set);
}

function jobTask({ info, qos, params }: Task_Wasip1_Request): JobTask {
  if (params === undefined) throw usageError("there are no params");
  const { binary, args, envs, stdin, rootfs, artifacts } = params;
  const zip = rootfs === undefined ? null : contentOf(rootfs, "rootfs");
  return {
    module: contentOf(binary, "binary"),
    args,
    env: envs,
    stdin: stdin ?? new Uint8Array(0),
    directories: [{ guest: zip === null ? "." : "/", readOnly: false, zip }],
    // Meant from the root of the guest's directory, whichever that is (wasimoff-v1 6.4).
    artifacts: artifacts.map((path) => (zip === null ? "" : "/") + path.replace(/^\//, "")),
    wishes: {
      ...(info?.trace && { trace: true }),
      ...(qos?.priority !== undefined && { priority: qos.priority }),
      ...(qos?.immediate !== undefined && { immediate: qos.immediate }),
      ...(qos?.deadline && { deadline: timestampMs(qos.deadline) }),
    },
  };
}

function contentOf(file: File | undefined, what: string): { bytes: Uint8Array } | { stored: string } {
  const { ref = "", blob } = file ?? {};
  if ((ref === "") === (blob === undefined)) throw usageError(`"${what}" needs either "ref" or "blob"`);
  if (blob !== undefined) return { bytes: blob };
  return { stored: isFileRef(ref.toLowerCase()) ? ref.toLowerCase() : ref };
}

function refuseRest(rest: JsonObject): void {
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw usageError(`nobody knows "${unknown}"`);
}

function list(value: JsonValue): JsonValue[] {
  if (Array.isArray(value)) return value;
  if (value === null) return [];
  throw usageError(`${JSON.stringify(value)} is no list`);
}

function object(value: JsonValue): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw usageError("it is no task: write an object");
}
