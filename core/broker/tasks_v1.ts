/** The service behind all doors for existing clients: Connect, gRPC, WebSocket and plain HTTP (wasimoff-v1 5). */

import { create } from "@bufbuild/protobuf";
import { WasimoffError } from "../errors.ts";
import { failed } from "../outcome.ts";
import {
  type Filesystem_Upload_Request,
  type Filesystem_Upload_Response,
  Filesystem_Upload_ResponseSchema,
  type Task_Metadata,
  type Task_Pyodide_Request,
  type Task_Pyodide_Response,
  Task_TraceEvent_EventType as TraceEvent,
  type Task_Wasip1_Params,
  type Task_Wasip1_Request,
  type Task_Wasip1_Response,
} from "../protocol/gen/wasimoff/v1/messages_pb.ts";
import { MAX_PYTHON_RESULT_BYTES } from "../python_run.ts";
import type { FileRef } from "../storage/file_store.ts";
import type { Broker } from "./broker.ts";
import { CollectedOutput } from "./collected_output.ts";
import { ClientFilesV1, type ClientFilesV1Options, type PinnedFile } from "./client_files_v1.ts";
import type { Identity } from "./identity/identifier.ts";
import { MemoryBudget } from "./memory_budget.ts";
import { programOf } from "../protocol/python_codec.ts";
import { decodePythonTaskV1, encodePythonResponseV1 } from "./python_task_v1.ts";
import type { TaskOrigin, TaskResult, TaskSpec } from "./task.ts";
import { decodeTaskV1, encodeResponseV1, MAX_OUTPUT_BYTES_V1, originOf, rpcFailure } from "./task_v1.ts";
import type { TaskOutput } from "./task_v1.ts";

/** The ZIP of artifacts of one task: as much as our slots return. */
const MAX_ARTIFACTS_BYTES_V1 = 256 * 1024 * 1024;
/** Input and output of all tasks together while they are here: a quarter of a small server. */
export const MAX_HELD_BYTES_V1 = 1024 * 1024 * 1024;

export interface TasksV1Options extends ClientFilesV1Options {
  readonly broker: Broker;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly maxHeldBytes?: number;
}

/** Who asks, and until when. */
export interface CallV1 {
  /** Owner of the names that it makes. */
  readonly identity: Identity;
  /** Address that is told to providers and back; empty where the existing broker tells none. */
  readonly requester: string;
  /** Aborting cancels the task; the code `deadline_exceeded` of its reason makes it a timeout. */
  readonly signal: AbortSignal;
}

/** What rejects could not be carried out: its code and message are for the client. */
export class TasksV1 {
  readonly #options: TasksV1Options;
  readonly #files: ClientFilesV1;
  /** What clients have brought, and what is kept for them. */
  readonly budget: MemoryBudget;

  constructor(options: TasksV1Options) {
    this.#options = options;
    this.#files = new ClientFilesV1(options);
    this.budget = new MemoryBudget(options.maxHeldBytes ?? MAX_HELD_BYTES_V1);
  }

  async runWasip1({ info, qos, params }: Task_Wasip1_Request, call: CallV1): Promise<Task_Wasip1_Response> {
    if (params?.binary === undefined) {
      throw new WasimoffError("invalid_argument", "file cannot be nil: task has no binary");
    }
    const { binary, rootfs } = params;
    return await this.#run({
      ...{ info, stdin: ownStdin(params), encode: encodeResponseV1 },
      specify: async (pin) => {
        const module = await pin(this.#files.pin(binary));
        const zip = rootfs === undefined ? null : await pin(this.#files.pin(rootfs));
        return decodeTaskV1(params, qos, { module, rootfs: zip });
      },
    }, call);
  }

  async runPyodide(
    { info, qos, params }: Task_Pyodide_Request,
    call: CallV1,
  ): Promise<Task_Pyodide_Response> {
    if (params === undefined) throw new WasimoffError("invalid_argument", "task has no params");
    const { kind, bytes } = programOf(params);
    const { rootfs } = params;
    return await this.#run({
      ...{ info, stdin: (params.stdin ?? new Uint8Array(0)).slice(), encode: encodePythonResponseV1 },
      specify: async (pin) => {
        const module = await pin(this.#files.pinProgram(bytes));
        const zip = rootfs === undefined ? null : await pin(this.#files.pin(rootfs));
        return decodePythonTaskV1(params, qos, { kind, files: { module, rootfs: zip } });
      },
    }, call);
  }

  async upload(
    { upload }: Filesystem_Upload_Request,
    { identity }: CallV1,
  ): Promise<Filesystem_Upload_Response> {
    const ref = await this.#files.upload(upload, identity);
    return create(Filesystem_Upload_ResponseSchema, { ref });
  }

  /** Keeps input and files for as long as the task needs them. */
  async #run<T>({ info, stdin, specify, encode }: Work<T>, { requester, signal }: CallV1): Promise<T> {
    const origin = originOf(info, { requester, now: this.#options.now });
    origin.trace?.mark(TraceEvent.BrokerReceivedClientRequest);
    const pinned: PinnedFile[] = [];
    const pin = async (file: Promise<PinnedFile>) => {
      const one = await file;
      pinned.push(one);
      return one.ref;
    };
    this.budget.take(stdin.length);
    try {
      const spec = await specify(pin);
      return await this.#submit({ spec, stdin, origin, encode }, signal);
    } finally {
      this.budget.give(stdin.length);
      for (const { unpin } of pinned) unpin();
    }
  }

  async #submit<T>({ spec, stdin, origin, encode }: Prepared<T>, signal: AbortSignal): Promise<T> {
    // The slot ends a guest that writes too much; these limits are for providers that do not keep it to that.
    const stdout = new CollectedOutput(MAX_OUTPUT_BYTES_V1, this.budget);
    const stderr = new CollectedOutput(MAX_OUTPUT_BYTES_V1, this.budget);
    const artifacts = new CollectedOutput(MAX_ARTIFACTS_BYTES_V1, this.budget);
    const pickle = new CollectedOutput(MAX_PYTHON_RESULT_BYTES, this.budget);
    const outputs = { stdout, stderr, artifacts, result: pickle };
    try {
      const io = { stdinBytes: stdin, stdin: null, ...outputs };
      const ended = await this.#options.broker.submit(spec, io, { origin, signal });
      const result = complete(ended, Object.values(outputs));
      const failure = rpcFailure(result, spec.immediate);
      if (failure !== null) throw failure;
      origin.trace?.mark(TraceEvent.BrokerTransmitClientResponse);
      const zip = spec.artifacts.length === 0 ? null : artifacts.bytes;
      const output = { stdout: stdout.bytes, stderr: stderr.bytes, artifacts: zip, pickle: pickle.bytes };
      return encode(result, output, origin);
    } finally {
      for (const output of Object.values(outputs)) output.release();
    }
  }
}

/** A task that wrote too much has come to an end of its own; one for which there was no room may be sent again. */
function complete(result: TaskResult, outputs: readonly CollectedOutput[]): TaskResult {
  const missing = outputs.find(({ failure }) => failure !== null)?.failure;
  if (missing === undefined || missing === null) return result;
  if (missing.code !== "out_of_range") throw missing;
  return { ...result, outcome: failed("limit", "broker", missing.message) };
}

type Encode<T> = (
  result: TaskResult,
  output: TaskOutput & { readonly pickle: Uint8Array },
  origin: TaskOrigin,
) => T;

interface Work<T> {
  readonly info: Task_Metadata | undefined;
  readonly stdin: Uint8Array;
  /** Stores the files of the task, and says what it is. */
  readonly specify: (pin: (file: Promise<PinnedFile>) => Promise<FileRef>) => Promise<TaskSpec>;
  readonly encode: Encode<T>;
}

interface Prepared<T> {
  readonly spec: TaskSpec;
  readonly stdin: Uint8Array;
  readonly origin: TaskOrigin;
  readonly encode: Encode<T>;
}

/** Beside inline files it is copied: as a view it would keep them in memory until the task ends. */
function ownStdin({ stdin = new Uint8Array(0), binary, rootfs }: Task_Wasip1_Params): Uint8Array {
  return binary?.blob === undefined && rootfs?.blob === undefined ? stdin : stdin.slice();
}
