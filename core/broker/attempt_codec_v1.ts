/** Attempts in the words of wasimoff_v1, and what its providers answer in ours (wasimoff-v1 4.6, 7). */

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { WasimoffError } from "../errors.ts";
import { exited, type Outcome } from "../outcome.ts";
import {
  type FileSchema,
  type Task_Pyodide_Output,
  type Task_Pyodide_Request,
  Task_Pyodide_RequestSchema,
  type Task_Pyodide_Response,
  type Task_Trace,
  type Task_Wasip1_Output,
  type Task_Wasip1_Request,
  Task_Wasip1_RequestSchema,
  type Task_Wasip1_Response,
} from "../protocol/gen/wasimoff/v1/messages_pb.ts";
import { decodeTaskError } from "../protocol/task_error_v1.ts";
import type { FileRef } from "../storage/file_store.ts";
import type { AttemptRequest } from "./provider_peer.ts";
import type { TaskSpec } from "./task.ts";
import type { TaskTrace, TraceMoment } from "./task_trace.ts";

/** Events of a trace that are looked at; the task's own trace takes fewer. */
const MAX_TRACE_EVENTS = 256;
const MS_PER_S = 1_000;
const NS_PER_MS = 1_000_000;
/** Exit status of `python` after an exception. */
const EXCEPTION_STATUS = 1;

type FileInit = MessageInitShape<typeof FileSchema>;

export interface AttemptPartsV1 {
  /** Name of the provider. */
  readonly provider: string;
  readonly stdin: Uint8Array;
  /** A file by its reference, with its content where the provider cannot fetch it. */
  readonly file: (ref: FileRef, media: string) => Promise<FileInit>;
  /** The content of a Python program, which always travels in its task. */
  readonly program: (ref: FileRef) => Promise<Uint8Array>;
}

/** The request for one attempt. */
export async function encodeAttemptV1(
  { id, spec, origin }: Pick<AttemptRequest, "id" | "spec" | "origin">,
  { provider, stdin, file, program }: AttemptPartsV1,
): Promise<Task_Wasip1_Request | Task_Pyodide_Request> {
  const { requester, reference, trace } = origin;
  const rootfs = spec.preopens[0]?.zip ?? null;
  const request = {
    info: { id, requester, provider, reference, ...(trace !== null && { trace: encodeTrace(trace) }) },
    qos: encodeQos(spec),
  };
  const params = {
    envs: [...spec.env],
    stdin,
    ...(rootfs !== null && { rootfs: await file(rootfs, "application/zip") }),
    artifacts: [...spec.artifacts],
  };
  if (spec.python !== undefined) {
    const { kind, packages } = spec.python;
    const bytes = await program(spec.module);
    const run = kind === "pickle"
      ? { case: kind, value: bytes }
      : { case: kind, value: new TextDecoder().decode(bytes) };
    const own = { ...params, packages: [...packages], run };
    return create(Task_Pyodide_RequestSchema, { ...request, params: own });
  }
  const binary = await file(spec.module, "application/wasm");
  return create(Task_Wasip1_RequestSchema, {
    ...request,
    params: { ...params, binary, args: [...spec.args] },
  });
}

function encodeTrace({ createdNs, moments }: TaskTrace) {
  return {
    created: createdNs,
    events: moments.map(({ event, unixNano }) => ({ event, unixnano: unixNano })),
  };
}

function encodeQos({ priority, immediate, deadline }: TaskSpec) {
  return {
    ...(priority && { priority }),
    ...(immediate && { immediate }),
    ...(deadline !== null && { deadline: timestamp(deadline) }),
  };
}

function timestamp(unixMs: number): Pick<Timestamp, "seconds" | "nanos"> {
  const seconds = Math.floor(unixMs / MS_PER_S);
  return { seconds: BigInt(seconds), nanos: Math.floor((unixMs - seconds * MS_PER_S) * NS_PER_MS) };
}

/** What tasks of both kinds leave behind. */
export type OutputV1 =
  & Pick<Task_Wasip1_Output, "stdout" | "stderr" | "artifacts">
  & Partial<Pick<Task_Pyodide_Output, "pickle" | "version">>;

export interface AnswerV1 {
  readonly outcome: Outcome;
  /** null when the task failed: its output is lost then. */
  readonly output: OutputV1 | null;
  readonly trace: readonly TraceMoment[];
}

/** Throws for an answer that says that the provider could not run the task at all, or says nothing. */
export function decodeAnswerV1({ info, result }: Task_Wasip1_Response): AnswerV1 {
  const trace = decodeTrace(info?.trace);
  switch (result.case) {
    case "ok": // its status is signed on the wire
      return { outcome: exited((result.value.status ?? 0) >>> 0), output: result.value, trace };
    case "error":
      return { outcome: outcomeOf(result.value), output: null, trace };
    case undefined:
      throw new WasimoffError("internal", "provider answered without a result");
    default:
      return result satisfies never;
  }
}

/** The same for Python: an exception is told by its traceback. Throws as `decodeAnswerV1`. */
export function decodePythonAnswerV1({ info, result }: Task_Pyodide_Response): AnswerV1 {
  const trace = decodeTrace(info?.trace);
  switch (result.case) {
    case "ok":
      return { outcome: exited(0), output: result.value, trace };
    case "error": {
      const outcome = decodeTaskError(result.value);
      const status = outcome.reason === "trap" ? EXCEPTION_STATUS : outcome.status;
      return { outcome: { ...outcome, status }, output: null, trace };
    }
    case undefined:
      throw new WasimoffError("internal", "provider answered without a result");
    default:
      return result satisfies never;
  }
}

function decodeTrace(trace: Task_Trace | undefined): TraceMoment[] {
  const events = trace?.events.slice(0, MAX_TRACE_EVENTS) ?? [];
  return events.map(({ event = 0, unixnano = 0n }) => ({ event, unixNano: unixnano }));
}

/** Errors of a task that are the provider's own trouble: texts are all that wasimoff_v1 has to tell them by. */
const TROUBLES:
  readonly (readonly [text: RegExp, code: "not_found" | "resource_exhausted" | "unavailable"])[] = [
    [/^(Error: )?(zip|binary) not found in storage/, "not_found"],
    [/^(Error: )?no workers in pool/, "resource_exhausted"],
    [/^(Error: )?qos/, "resource_exhausted"],
    [/^undefined$/, "unavailable"], // its worker was ended under the task
  ];

function outcomeOf(text: string): Outcome {
  for (const [pattern, code] of TROUBLES) {
    if (pattern.test(text)) throw new WasimoffError(code, text);
  }
  const outcome = decodeTaskError(text || "provider gave no reason");
  if (outcome.reason === "cancelled" || outcome.reason === "lost") {
    throw new WasimoffError("unavailable", `provider gave up the attempt: ${text}`);
  }
  return outcome;
}
