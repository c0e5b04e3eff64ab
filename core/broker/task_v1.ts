/** WASI tasks of the existing clients in the words of the broker's core, and back (wasimoff-v1 6.4, 7). */

import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { WasimoffError } from "../errors.ts";
import {
  type Task_Metadata,
  Task_MetadataSchema,
  type Task_QoS,
  type Task_Wasip1_Params,
  type Task_Wasip1_Response,
  Task_Wasip1_ResponseSchema,
} from "../protocol/gen/wasimoff/v1/messages_pb.ts";
import { encodeTaskError } from "../protocol/task_error_v1.ts";
import type { FileRef } from "../storage/file_store.ts";
import type { TaskOrigin, TaskResult, TaskSpec } from "./task.ts";
import { DEFAULT_ATTEMPTS } from "./task_codec.ts";
import { TaskTrace } from "./task_trace.ts";

/** stdout and stderr of a task together, as they are kept and travel in one message; more ends the guest. */
export const MAX_OUTPUT_BYTES_V1 = 64 * 1024 * 1024;
/** Arguments, environment and paths of a task together: they travel on in one message of 64 KiB. */
export const MAX_TEXT_BYTES_V1 = 48 * 1024;
/** What each text takes in a message besides its characters. */
const TEXT_OVERHEAD_BYTES = 4;

export interface TaskFiles {
  readonly module: FileRef;
  readonly rootfs: FileRef | null;
}

/** Throws `invalid_argument` for texts that no guest could get. */
export function decodeTaskV1(
  { args, envs, artifacts }: Task_Wasip1_Params,
  qos: Task_QoS | undefined,
  { module, rootfs }: TaskFiles,
): TaskSpec {
  checkTexts([...args, ...envs, ...artifacts]);
  return {
    ...{ module, args, env: envs, artifacts },
    lenientArtifacts: true,
    preopens: [{ guest: rootfs === null ? "." : "/", zip: rootfs, readOnly: false }],
    ...wishesV1(qos),
  };
}

/** What tasks of every kind leave to others, and what they may wish. */
export function wishesV1(qos: Task_QoS | undefined) {
  return {
    ...{ timeoutMs: null, memoryBytes: null, cpuMs: null, diskBytes: null },
    outputBytes: MAX_OUTPUT_BYTES_V1,
    deterministic: false,
    priority: qos?.priority ?? false,
    deadline: deadlineMs(qos?.deadline),
    immediate: qos?.immediate ?? false,
    require: {},
    attempts: DEFAULT_ATTEMPTS,
  };
}

/** Throws `invalid_argument` for texts that no guest could get, or that are too long together. */
export function checkTexts(texts: readonly string[]): void {
  const encoder = new TextEncoder();
  let bytes = 0;
  for (const text of texts) {
    if (text.includes("\0")) throw invalid("arguments, environment and paths cannot contain NUL");
    bytes += TEXT_OVERHEAD_BYTES + text.length;
    if (bytes <= MAX_TEXT_BYTES_V1) bytes += encoder.encode(text).length - text.length;
  }
  if (bytes > MAX_TEXT_BYTES_V1) {
    throw invalid(`arguments, environment and paths are longer than ${MAX_TEXT_BYTES_V1} bytes together`);
  }
}

/** A time at the epoch or before it is one that nobody has set. */
function deadlineMs(deadline: Timestamp | undefined): number | null {
  const ms = deadline === undefined ? 0 : timestampMs(deadline);
  return ms > 0 ? ms : null;
}

/** What the client says of itself: its own id is dropped, tracing is on when there is a trace. */
export function originOf(
  info: Task_Metadata | undefined,
  { requester, now }: { readonly requester: string; readonly now: () => number },
): TaskOrigin {
  const { reference = "", trace } = info ?? {};
  if (trace === undefined) return { requester, reference, trace: null };
  const moments = trace.events.map(({ event = 0, unixnano = 0n }) => ({ event, unixNano: unixnano }));
  return { requester, reference, trace: new TaskTrace({ createdNs: trace.created ?? 0n, moments, now }) };
}

/** What a task leaves behind that has exited. */
export interface TaskOutput {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** A ZIP; null when none were asked for. */
  readonly artifacts: Uint8Array | null;
}

/** The answer to a task that came to an end of its own; see `rpcFailure` for the others. */
export function encodeResponseV1(
  result: TaskResult,
  { stdout, stderr, artifacts }: TaskOutput,
  origin: TaskOrigin,
): Task_Wasip1_Response {
  const { outcome } = result;
  const info = infoV1(result, origin);
  if (outcome.reason !== "exit") {
    return create(Task_Wasip1_ResponseSchema, {
      info,
      result: { case: "error", value: encodeTaskError(outcome) },
    });
  }
  const value = {
    status: outcome.status | 0, // signed, as proc_exit(-1) gives -1
    ...{ stdout, stderr },
    ...(artifacts !== null && { artifacts: { blob: artifacts } }),
  };
  return create(Task_Wasip1_ResponseSchema, { info, result: { case: "ok", value } });
}

/** What every answer says of its task. */
export function infoV1(
  { task, provider }: TaskResult,
  { requester, reference, trace }: TaskOrigin,
): Task_Metadata {
  return create(Task_MetadataSchema, {
    ...{ id: task, requester, provider, reference },
    ...(trace !== null && {
      trace: {
        created: trace.createdNs,
        events: trace.moments.map(({ event, unixNano }) => ({ event, unixnano: unixNano })),
      },
    }),
  });
}

/**
 * Why a request could not be carried out; null when the task came to an end of its own, which is told in the
 * response. Texts that existing clients may know are kept.
 */
export function rpcFailure({ outcome, code }: TaskResult, immediate: boolean): WasimoffError | null {
  const { reason, origin, message } = outcome;
  switch (reason) {
    case "exit":
    case "trap":
    case "memory":
    case "limit":
      return null;
    case "timeout":
      return origin === "provider" || origin === "guest"
        ? null
        : new WasimoffError("deadline_exceeded", message);
    case "cancelled":
      return new WasimoffError("canceled", message);
    case "lost":
      return new WasimoffError("unavailable", message);
    case "rejected":
      // A module that kills slots is refused for what it is, as one that cannot be compiled.
      if (origin !== "broker" || code === "failed_precondition") return null;
      if (code === "resource_exhausted") return new WasimoffError(code, "429: Queue Full");
      return new WasimoffError(code ?? "unavailable", immediate ? `qos: ${message}` : message);
    default:
      return reason satisfies never;
  }
}

function invalid(message: string): WasimoffError {
  return new WasimoffError("invalid_argument", message);
}
