/** Attempts in the words of wasimoff_v1, and what its providers answer in ours (wasimoff-v1 4.6, 7). */

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { WasimoffError } from "../errors.ts";
import { exited, failed, type Outcome, STATUS_INVALID_MODULE } from "../outcome.ts";
import {
  type FileSchema,
  type Task_Trace,
  type Task_Wasip1_Output,
  type Task_Wasip1_Request,
  Task_Wasip1_RequestSchema,
  type Task_Wasip1_Response,
} from "../protocol/gen/wasimoff/v1/messages_pb.ts";
import type { FileRef } from "../storage/file_store.ts";
import type { AttemptRequest } from "./provider_peer.ts";
import type { TaskSpec } from "./task.ts";
import type { TaskTrace, TraceMoment } from "./task_trace.ts";

/** Events of a trace that are looked at; the task's own trace takes fewer. */
const MAX_TRACE_EVENTS = 256;
const MS_PER_S = 1_000;
const NS_PER_MS = 1_000_000;

type FileInit = MessageInitShape<typeof FileSchema>;

export interface AttemptPartsV1 {
  /** Name of the provider. */
  readonly provider: string;
  readonly stdin: Uint8Array;
  /** A file by its reference, with its content where the provider cannot fetch it. */
  readonly file: (ref: FileRef, media: string) => Promise<FileInit>;
}

/** The request for one attempt. */
export async function encodeAttemptV1(
  { id, spec, origin }: Pick<AttemptRequest, "id" | "spec" | "origin">,
  { provider, stdin, file }: AttemptPartsV1,
): Promise<Task_Wasip1_Request> {
  const { requester, reference, trace } = origin;
  const rootfs = spec.preopens[0]?.zip ?? null;
  return create(Task_Wasip1_RequestSchema, {
    info: { id, requester, provider, reference, ...(trace !== null && { trace: encodeTrace(trace) }) },
    qos: encodeQos(spec),
    params: {
      binary: await file(spec.module, "application/wasm"),
      args: [...spec.args],
      envs: [...spec.env],
      stdin,
      ...(rootfs !== null && { rootfs: await file(rootfs, "application/zip") }),
      artifacts: [...spec.artifacts],
    },
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

export interface AnswerV1 {
  readonly outcome: Outcome;
  /** null when the task failed: its output is lost then. */
  readonly output: Task_Wasip1_Output | null;
  readonly trace: readonly TraceMoment[];
}

/** Throws for an answer that says that the provider could not run the task at all, or says nothing. */
export function decodeAnswerV1({ info, result }: Task_Wasip1_Response): AnswerV1 {
  const trace = decodeTrace(info?.trace);
  switch (result.case) {
    case "ok": // its status is signed on the wire
      return { outcome: exited((result.value.status ?? 0) >>> 0), output: result.value, trace };
    case "error":
      return { outcome: decodeTaskError(result.value), output: null, trace };
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
/** What compilers of WebAssembly say of a module that is not valid, or asks for more than there is. */
const INVALID_MODULE = /^(WebAssembly\.)?(CompileError|LinkError)\b/;

function decodeTaskError(text: string): Outcome {
  for (const [pattern, code] of TROUBLES) {
    if (pattern.test(text)) throw new WasimoffError(code, text);
  }
  if (INVALID_MODULE.test(text)) return failed("rejected", "provider", text, STATUS_INVALID_MODULE);
  return failed("trap", "guest", text || "provider gave no reason");
}
