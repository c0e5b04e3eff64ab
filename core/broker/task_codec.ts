/** Tasks of wasimoff_v2 in the words of the broker's core, checked where they enter. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import { WasimoffError } from "../errors.ts";
import type {
  Preopen,
  RunAttemptSchema,
  RunTask,
  TaskProgressSchema,
  TaskResultSchema,
} from "../protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { TaskProgress_State } from "../protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { decodePython, encodePython } from "../protocol/python_codec.ts";
import { encodeOutcome } from "../protocol/outcome_codec.ts";
import type { FileRef } from "../storage/file_store.ts";
import type { AttemptId } from "./dispatcher/event.ts";
import type { TaskPreopen, TaskProgress, TaskResult, TaskSpec } from "./task.ts";

/** Providers tried when the client does not say. */
export const DEFAULT_ATTEMPTS = 3;
/** Providers tried at most: what loses ten in a row is the task's own doing. */
const MAX_ATTEMPTS = 10;
/** Labels that a task may require. */
const MAX_REQUIRED_LABELS = 32;
/** Directories that a guest may have. */
const MAX_PREOPENS = 64;
/** The longest a guest may run, in milliseconds: a year, so that sums stay exact. */
const MAX_TIMEOUT_MS = 365 * 24 * 3600 * 1000;

/** Finds the file behind a name or ref; throws `not_found`. */
export type ResolveFile = (nameOrRef: string) => Promise<FileRef>;

/** The task of a request; throws `invalid_argument` for what makes no sense, `not_found` for unknown files. */
export async function decodeTask(task: RunTask, resolve: ResolveFile): Promise<TaskSpec> {
  const { limits, qos } = task;
  if (task.module === "") throw invalid("task names no module");
  if (task.preopens.length > MAX_PREOPENS) throw invalid(`task has more than ${MAX_PREOPENS} directories`);
  if (Object.keys(task.require).length > MAX_REQUIRED_LABELS) {
    throw invalid(`task requires more than ${MAX_REQUIRED_LABELS} labels`);
  }
  for (const text of [...task.args, ...task.env]) {
    if (text.includes("\0")) throw invalid("arguments and environment cannot contain NUL");
  }
  const deadline = Number(qos?.deadline ?? 0n);
  return {
    module: await resolve(task.module),
    ...(task.python !== undefined && { python: decodePython(task.python) }),
    args: task.args,
    env: task.env,
    preopens: await Promise.all(task.preopens.map((preopen) => decodePreopen(preopen, resolve))),
    artifacts: task.artifacts,
    lenientArtifacts: false,
    timeoutMs: positive(limits?.timeoutMs, MAX_TIMEOUT_MS),
    memoryBytes: positive(limits?.memory, Number.MAX_SAFE_INTEGER),
    cpuMs: positive(limits?.cpuMs, MAX_TIMEOUT_MS),
    diskBytes: positive(limits?.disk, Number.MAX_SAFE_INTEGER),
    outputBytes: positive(limits?.output, Number.MAX_SAFE_INTEGER),
    deterministic: task.deterministic,
    priority: qos?.priority ?? false,
    deadline: deadline > 0 ? deadline : null,
    immediate: qos?.immediate ?? false,
    require: task.require,
    attempts: task.attempts === 0 ? DEFAULT_ATTEMPTS : Math.min(task.attempts, MAX_ATTEMPTS),
  };
}

async function decodePreopen({ guest, zip, readOnly }: Preopen, resolve: ResolveFile): Promise<TaskPreopen> {
  if (guest === "" || guest.includes("\0")) throw invalid("a directory of the guest needs a path");
  return { guest, zip: zip === "" ? null : await resolve(zip), readOnly };
}

/** A number of the wire where 0 says "not given". */
function positive(value: bigint | undefined, max: number): number | null {
  return value === undefined || value === 0n ? null : Math.min(Number(value), max);
}

/** The request for one attempt, but for its streams. */
export function encodeAttempt(attempt: AttemptId, spec: TaskSpec, trace: boolean) {
  return {
    attempt,
    module: spec.module,
    args: [...spec.args],
    env: [...spec.env],
    preopens: spec.preopens.map(({ zip, ...rest }) => ({ ...rest, zip: zip ?? "" })),
    artifacts: [...spec.artifacts],
    limits: {
      timeoutMs: BigInt(spec.timeoutMs ?? 0),
      memory: BigInt(spec.memoryBytes ?? 0),
      cpuMs: BigInt(spec.cpuMs ?? 0),
      disk: BigInt(spec.diskBytes ?? 0),
      output: BigInt(spec.outputBytes ?? 0),
    },
    deterministic: spec.deterministic,
    lenientArtifacts: spec.lenientArtifacts,
    trace,
    ...(spec.python !== undefined && { python: encodePython(spec.python) }),
  } satisfies MessageInitShape<typeof RunAttemptSchema>;
}

/** The answer to a task, but for the lengths of its streams. */
export function encodeTaskResult({ outcome, code: _, pythonVersion: _version, ...result }: TaskResult) {
  return { ...result, outcome: encodeOutcome(outcome) } satisfies MessageInitShape<typeof TaskResultSchema>;
}

const STATES: Readonly<Record<TaskProgress["state"], TaskProgress_State>> = {
  queued: TaskProgress_State.QUEUED,
  running: TaskProgress_State.RUNNING,
  retrying: TaskProgress_State.RETRYING,
};

export function encodeProgress(request: number, { task, state, provider, detail }: TaskProgress) {
  return { request, task, state: STATES[state], provider, detail } satisfies MessageInitShape<
    typeof TaskProgressSchema
  >;
}

function invalid(message: string): WasimoffError {
  return new WasimoffError("invalid_argument", message);
}
