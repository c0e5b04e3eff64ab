/** Runs tasks at an existing broker, over one WebSocket (wasimoff-v1 5.2). */

import { create, isMessage } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ByteSource } from "../byte_stream.ts";
import { type Code, WasimoffError } from "../errors.ts";
import { exited, type Outcome } from "../outcome.ts";
import type { EncodingV1 } from "../protocol/envelope_v1.ts";
import {
  type Task_Pyodide_Output,
  type Task_Pyodide_Request,
  Task_Pyodide_RequestSchema,
  type Task_Pyodide_Response,
  Task_Pyodide_ResponseSchema,
  Task_TraceEvent_EventType as Event,
  type Task_Wasip1_Output,
  type Task_Wasip1_Request,
  Task_Wasip1_RequestSchema,
  type Task_Wasip1_Response,
  Task_Wasip1_ResponseSchema,
} from "../protocol/gen/wasimoff/v1/messages_pb.ts";
import { MAX_TIMER_MS } from "../protocol/limits.ts";
import { type MessagePipe, MessengerV1 } from "../protocol/messenger_v1.ts";
import { decodeTaskError } from "../protocol/task_error_v1.ts";
import { checkFitV1 } from "./fit_v1.ts";
import type { TaskRequest, TaskResult, TaskStreams } from "./task_request.ts";
import { unixNanos } from "../unix_nanos.ts";
import { decodeTrace } from "./task_trace.ts";

/** All of stdin travels in the request. */
export const MAX_STDIN_BYTES = 16 * 1024 * 1024;

/** Exit status of `python` after an exception. */
const EXCEPTION_STATUS = 1;
/** The last line of the traceback of `sys.exit`, with a status or none. */
const SYSTEM_EXIT = /(?:^|\n)SystemExit(?:: (-?\d{1,10}))?$/;

type RequestV1 = Task_Wasip1_Request | Task_Pyodide_Request;
type ResponseV1 = Task_Wasip1_Response | Task_Pyodide_Response;

/** Errors of envelopes are texts; these are told apart by their start (wasimoff-v1 5.1). */
const CODES: readonly (readonly [start: string, code: Code])[] = [
  ["Ref not found in storage", "not_found"],
  ["429: Queue Full", "resource_exhausted"],
];

export class ClientV1 {
  readonly #messenger: MessengerV1;

  constructor(pipe: MessagePipe, encoding: EncodingV1) {
    this.#messenger = new MessengerV1(pipe, encoding, {
      request: () => Promise.reject(new WasimoffError("unimplemented", "clients serve no requests")),
      event: () => {}, // brokers have no events for clients
    });
  }

  /** Aborted when the connection has ended, with the cause. */
  get signal(): AbortSignal {
    return this.#messenger.signal;
  }

  /**
   * Runs a task as `Client.run` does, as far as v1 can: see `checkFitV1`. The end of `signal`, of the timeout and of
   * the deadline close the connection, which is the only way to cancel, and cancels every task of this client.
   */
  async run(
    task: TaskRequest,
    streams: TaskStreams,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<TaskResult> {
    checkFitV1(task);
    const limits = new TimeLimits(task, signal);
    try {
      limits.signal.throwIfAborted();
      const stdin = await collect(streams, limits.signal);
      const request = encodeRequest(task, stdin);
      const startedMs = performance.now();
      const response = await this.#request(request, limits.signal);
      const outcome = await writeOutputs(response, streams);
      return describe(response, outcome, performance.now() - startedMs);
    } catch (error) {
      for (const sink of sinksOf(streams)) sink.abort(WasimoffError.from(error));
      if (limits.signal.aborted) this.close();
      throw error;
    } finally {
      limits.stop();
    }
  }

  /** Tasks that still run are cancelled. */
  close(): void {
    this.#messenger.close("client has left");
  }

  async #request(request: RequestV1, signal: AbortSignal): Promise<ResponseV1> {
    const response = await this.#messenger.request(request, signal).catch((thrown) => {
      const error = WasimoffError.from(thrown);
      const known = CODES.find(([start]) => error.code === "unknown" && error.message.startsWith(start));
      throw known === undefined ? error : new WasimoffError(known[1], error.message, { cause: error });
    });
    const isWasi = isMessage(request, Task_Wasip1_RequestSchema);
    if (isWasi && isMessage(response, Task_Wasip1_ResponseSchema)) return response;
    if (!isWasi && isMessage(response, Task_Pyodide_ResponseSchema)) return response;
    throw new WasimoffError("internal", `broker answered with a ${response.$typeName}`);
  }
}

/** The signal of the caller, and the limits of time that nobody else would keep. */
class TimeLimits {
  readonly signal: AbortSignal;
  readonly #timers: ReturnType<typeof setTimeout>[] = [];

  constructor({ timeoutMs, deadline }: TaskRequest, signal?: AbortSignal) {
    const late = new AbortController();
    this.signal = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
    const arm = (ms: number, message: string) => {
      if (ms > MAX_TIMER_MS) return; // three weeks
      const abort = () => late.abort(new WasimoffError("deadline_exceeded", message));
      this.#timers.push(setTimeout(abort, Math.max(0, ms)));
    };
    if (timeoutMs !== undefined) arm(timeoutMs, `the task has not ended within ${timeoutMs} ms`);
    if (deadline !== undefined) arm(deadline - Date.now(), "the deadline of the task has passed");
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}

/** All of stdin; rejects with `out_of_range` when it is more than a request may hold. */
async function collect({ stdinBytes, stdin }: TaskStreams, signal: AbortSignal): Promise<Uint8Array> {
  const chunks = stdinBytes === undefined ? [] : [stdinBytes];
  const onAbort = () => stdin?.cancel(WasimoffError.from(signal.reason, "canceled"));
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    let size = stdinBytes?.length ?? 0;
    for (let chunk = await stdin?.read(); chunk; chunk = await stdin?.read()) {
      size += chunk.length;
      chunks.push(chunk);
      if (size > MAX_STDIN_BYTES) throw tooMuchInput(stdin);
    }
    signal.throwIfAborted();
    return await new Blob(chunks as Uint8Array<ArrayBuffer>[]).bytes();
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function tooMuchInput(stdin: ByteSource | undefined): WasimoffError {
  const message = `this broker takes at most ${MAX_STDIN_BYTES / 1024 ** 2} MiB of input: ` +
    "give it as a file with --rootfs, or use a newer broker";
  const error = new WasimoffError("out_of_range", message);
  stdin?.cancel(error);
  return error;
}

/** `info` is always there: a broker of today leaves a task without one untraced and nameless. */
function encodeRequest(task: TaskRequest, stdin: Uint8Array): RequestV1 {
  const { module, args, python, env = [], preopens = [], artifacts = [], priority, immediate, deadline } =
    task;
  const rootfs = preopens[0]?.zip;
  const created = unixNanos();
  const events = [{ event: Event.ClientTransmitRequest, unixnano: created }];
  const request = {
    info: task.trace === true ? { trace: { created, events } } : {},
    qos: {
      priority: priority ?? false,
      immediate: immediate ?? false,
      ...(deadline === undefined ? {} : { deadline: timestampFromMs(deadline) }),
    },
  };
  const params = {
    envs: [...env],
    artifacts: artifacts.map((path) => path.replace(/^(\.\/)+/, "")),
    ...(stdin.length === 0 ? {} : { stdin }),
    ...(rootfs === undefined ? {} : { rootfs: { ref: rootfs } }),
  };
  if (python !== undefined) {
    return create(Task_Pyodide_RequestSchema, { ...request, params: { ...params, ...encodeProgram(task) } });
  }
  const own = { ...params, binary: { ref: module }, args: [...args] };
  return create(Task_Wasip1_RequestSchema, { ...request, params: own });
}

function encodeProgram({ python, program }: TaskRequest) {
  const { kind, packages } = python!;
  if (program === undefined) {
    throw new WasimoffError(
      "failed_precondition",
      "this broker stores no Python: give the program as a file",
    );
  }
  const run = kind === "pickle"
    ? { case: kind, value: program }
    : { case: kind, value: new TextDecoder().decode(program) };
  return { packages: [...packages], run };
}

async function writeOutputs({ $typeName, result }: ResponseV1, streams: TaskStreams): Promise<Outcome> {
  if (result.case === undefined) throw new WasimoffError("internal", "broker answered without a result");
  if (result.case === "ok") await writeOutput(result.value, streams);
  for (const sink of sinksOf(streams)) sink.end();
  if (result.case === "ok") return exited("status" in result.value ? result.value.status ?? 0 : 0);
  const outcome = decodeTaskError(result.value);
  const raised = outcome.reason === "trap" && $typeName === "wasimoff.v1.Task.Pyodide.Response";
  return raised ? raisedOutcome(outcome) : outcome;
}

/** `sys.exit` is an exception like any other there. */
function raisedOutcome(outcome: Outcome): Outcome {
  const exit = SYSTEM_EXIT.exec(outcome.message.trimEnd());
  return exit === null ? { ...outcome, status: EXCEPTION_STATUS } : exited(Number(exit[1] ?? 0) & 0xff);
}

async function writeOutput(output: Task_Wasip1_Output | Task_Pyodide_Output, streams: TaskStreams) {
  const { stdout, stderr, artifacts } = output;
  const pickle = "pickle" in output ? output.pickle : undefined;
  if (pickle !== undefined && pickle.length > 0) await streams.result?.write(pickle);
  if (stdout !== undefined && stdout.length > 0) await streams.stdout.write(stdout);
  if (stderr !== undefined && stderr.length > 0) await streams.stderr.write(stderr);
  const zip = artifacts?.blob;
  if (zip !== undefined && zip.length > 0) await streams.artifacts?.write(zip);
}

function describe({ info }: ResponseV1, outcome: Outcome, durationMs: number): TaskResult {
  const trace = info?.trace &&
    decodeTrace(info.trace, { event: Event.ClientReceivedResponse, unixNano: unixNanos() });
  return {
    task: info?.id ?? "",
    outcome,
    provider: info?.provider ?? "",
    attempts: 1,
    queuedMs: 0,
    durationMs,
    ...(trace && { trace }),
  };
}

function sinksOf({ stdout, stderr, artifacts, result }: TaskStreams) {
  return [stdout, stderr, artifacts, result].filter((sink) => sink !== undefined);
}
