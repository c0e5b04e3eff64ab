/** What the JSON frames of a slot's pipe say: the task, and how it ended. */

import { ORIGINS, type Outcome, REASONS } from "../outcome.ts";
import type { PythonRun } from "../python_run.ts";
import type { FileRef } from "../storage/file_store.ts";
import type { SlotLimits, SlotTask } from "./slot.ts";
import { broken, encodeFrame, FRAME } from "./slot_protocol.ts";

/** The payload of `RUN`. */
export interface RunHeader {
  readonly module: FileRef;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly preopens: readonly {
    readonly guest: string;
    readonly zip: FileRef | null;
    readonly readOnly: boolean;
  }[];
  readonly artifacts: readonly string[];
  /** Of what is no regular file an empty directory is returned. */
  readonly lenientArtifacts: boolean;
  readonly limits: SlotLimits;
  readonly deterministic: boolean;
  /** null for a WASI program. */
  readonly python: PythonRun | null;
  /** Whether frames for stdin will follow; else it is empty. */
  readonly stdin: boolean;
  /** Whether somebody wants the result of a Python program. */
  readonly result: boolean;
}

/** The payload of `DONE`. */
export interface DoneHeader {
  readonly outcome: Outcome;
  readonly durationMs: number;
  readonly memoryBytes: number;
  /** Of the slot's whole process, after the task. */
  readonly rssBytes: number;
  /** Part of it that the slot keeps on purpose: compiled modules and unpacked ZIPs. */
  readonly keptBytes: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The frame that starts a task. Throws RangeError when it is larger than a frame may be. */
export function encodeRun(
  task: SlotTask,
  { stdin, result }: Pick<RunHeader, "stdin" | "result">,
): Uint8Array<ArrayBuffer> {
  const { module, args, env, artifacts, lenientArtifacts, limits, deterministic, python = null } = task;
  const preopens = task.preopens.map(({ zip, ...rest }) => ({ ...rest, zip: zip?.ref ?? null }));
  const header: RunHeader = {
    ...{ module: module.ref, args, env, preopens, artifacts, lenientArtifacts, limits, deterministic },
    ...{ python, stdin, result },
  };
  return encodeFrame(FRAME.RUN, encoder.encode(JSON.stringify(header)));
}

/** The task in the payload of a `RUN`; the provider is trusted to have written it well. */
export function decodeRun(payload: Uint8Array): RunHeader {
  return JSON.parse(decoder.decode(payload));
}

export function encodeDone(header: DoneHeader): Uint8Array<ArrayBuffer> {
  return encodeFrame(FRAME.DONE, encoder.encode(JSON.stringify(header)));
}

/** The end in the payload of a `DONE`; a slot is not trusted, so anything odd is `internal`. */
export function decodeDone(payload: Uint8Array): DoneHeader {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(payload));
  } catch {
    throw broken("its end is no JSON");
  }
  if (!isDone(value)) throw broken("its end is incomplete");
  return value;
}

function isDone(value: unknown): value is DoneHeader {
  if (!isRecord(value) || !isRecord(value.outcome)) return false;
  const { reason, origin, status, message } = value.outcome;
  return (REASONS as readonly unknown[]).includes(reason) &&
    (ORIGINS as readonly unknown[]).includes(origin) &&
    Number.isInteger(status) && typeof message === "string" &&
    [value.durationMs, value.memoryBytes, value.rssBytes, value.keptBytes]
      .every((n) => typeof n === "number" && n >= 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
