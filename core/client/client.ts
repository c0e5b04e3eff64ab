/** The library behind `submit`: a session with a broker in which tasks run as if they were local. */

import type { ByteSink, ByteSource } from "../byte_stream.ts";
import { WasimoffError } from "../errors.ts";
import { type Logger, silent } from "../log.ts";
import {
  type TaskProgress as WireProgress,
  TaskProgress_State,
  type TaskResult as WireResult,
} from "../protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { type EventKind, Messenger, type Result } from "../protocol/messenger.ts";
import { decodeOutcome } from "../protocol/outcome_codec.ts";
import { type Break, pump } from "../pump.ts";
import { type Dial, openSession } from "../session/dialer.ts";
import type { ReceiveStream } from "../session/receive_stream.ts";
import type { Session } from "../session/session.ts";
import {
  encodeTaskRequest,
  type TaskProgress,
  type TaskRequest,
  type TaskResult,
  type TaskStreams,
} from "./task_request.ts";

export interface ConnectOptions {
  /** Makes a connection to the broker's client endpoint. */
  readonly dial: Dial;
  readonly token?: string;
  /** Program and version, told to the broker. */
  readonly agent?: string;
  readonly logger?: Logger;
  readonly signal?: AbortSignal;
}

export interface RunOptions {
  /** Hears where the task is; without it the broker does not tell. */
  readonly onProgress?: (progress: TaskProgress) => void;
  /** Aborting cancels the task; `run` then waits for the broker's answer (CANCEL_GRACE_MS at most). */
  readonly signal?: AbortSignal;
}

interface Output {
  readonly stream: ReceiveStream;
  /** Resolves when everything was written, or with where it broke. */
  readonly done: Promise<Break | null>;
}

const STATES: Readonly<Record<TaskProgress_State, TaskProgress["state"] | null>> = {
  [TaskProgress_State.STATE_UNSPECIFIED]: null,
  [TaskProgress_State.QUEUED]: "queued",
  [TaskProgress_State.RUNNING]: "running",
  [TaskProgress_State.RETRYING]: "retrying",
};

/** Runs tasks on a broker, any number at once. Survives broken connections for the session's lease. */
export class Client {
  readonly #session: Session;
  readonly #messenger: Messenger;
  readonly #progress = new Map<number, (progress: TaskProgress) => void>();

  private constructor(session: Session) {
    this.#session = session;
    this.#messenger = new Messenger(session, {
      request: () => Promise.reject(new WasimoffError("unimplemented", "clients serve no requests")),
      event: (event) => this.#onEvent(event),
    });
  }

  /** Connects in one attempt; rejects with `unavailable`, `unauthenticated` or what the broker says. */
  static async connect(options: ConnectOptions): Promise<Client> {
    const { dial, token = "", agent = "wasimoff", logger = silent } = options;
    const signal = options.signal ?? new AbortController().signal;
    return new Client(await openSession({ dial, token, agent, logger, signal }));
  }

  /** Aborted when the session has ended, with the cause. */
  get signal(): AbortSignal {
    return this.#session.signal;
  }

  /**
   * Runs a task and resolves when it has ended and all its output was written. Rejects when the broker did not
   * take it (`invalid_argument`, `not_found`, `resource_exhausted`, ...) and when the session ended. A sink that
   * fails cancels the task.
   */
  async run(task: TaskRequest, streams: TaskStreams, options: RunOptions = {}): Promise<TaskResult> {
    const cancel = new AbortController();
    const signal = options.signal === undefined
      ? cancel.signal
      : AbortSignal.any([options.signal, cancel.signal]);
    signal.throwIfAborted();
    const stdin = streams.stdin === undefined ? null : this.#session.streams.openSend();
    const outputs = this.#openOutputs(streams, (cause) => cancel.abort(cause));
    const request = encodeTaskRequest(task, streams.stdinBytes ?? new Uint8Array(0), {
      stdin: stdin?.id ?? 0,
      stdout: outputs.stdout.stream.id,
      stderr: outputs.stderr.stream.id,
      artifacts: outputs.artifacts?.stream.id ?? 0,
    });
    let requestId = 0;
    try {
      const result = await this.#messenger.request(
        { case: "runTask", value: { ...request, progress: options.onProgress !== undefined } },
        {
          signal,
          sent: (id) => {
            requestId = id;
            if (options.onProgress !== undefined) this.#progress.set(id, options.onProgress);
            if (stdin !== null) void sendStdin(streams.stdin!, stdin, (cause) => cancel.abort(cause));
          },
        },
      );
      return await this.#finish(result, outputs);
    } catch (error) {
      const cause = WasimoffError.from(error);
      for (const output of Object.values(outputs)) output?.stream.cancel(cause);
      throw cause;
    } finally {
      this.#progress.delete(requestId);
      const over = new WasimoffError("canceled", "task has ended");
      stdin?.abort(over);
      streams.stdin?.cancel(over);
    }
  }

  /** Says goodbye: tasks that still run are cancelled. */
  close(): void {
    this.#session.close(new WasimoffError("canceled", "client has left"));
  }

  #openOutputs(streams: TaskStreams, failed: (cause: WasimoffError) => void) {
    const open = (sink: ByteSink): Output => {
      const stream = this.#session.streams.openReceive();
      const done = pump(stream, sink).then((end) => {
        if (end?.side === "sink") failed(end.cause);
        return end;
      });
      return { stream, done };
    };
    return {
      stdout: open(streams.stdout),
      stderr: open(streams.stderr),
      artifacts: streams.artifacts === undefined ? null : open(streams.artifacts),
    };
  }

  async #finish(
    result: Result,
    outputs: { stdout: Output; stderr: Output; artifacts: Output | null },
  ): Promise<TaskResult> {
    if (result.case !== "task") throw new WasimoffError("internal", "broker answered with another result");
    const { lengths } = result.value;
    if (!lengths?.stdout) outputs.stdout.stream.endUnused();
    if (!lengths?.stderr) outputs.stderr.stream.endUnused();
    if (!lengths?.artifacts) outputs.artifacts?.stream.endUnused();
    const breaks = await Promise.all([outputs.stdout.done, outputs.stderr.done, outputs.artifacts?.done]);
    const taskResult = decodeResult(result.value);
    // Output may be cut when the task did not end by itself: then its outcome says why.
    const broken = breaks.find((end) => end !== null && end !== undefined);
    if (broken && taskResult.outcome.reason === "exit") throw broken.cause;
    return taskResult;
  }

  #onEvent(event: EventKind): void {
    if (event.case !== "taskProgress") return;
    const progress = decodeProgress(event.value);
    if (progress !== null) this.#progress.get(event.value.request)?.(progress);
  }
}

/** A guest that reads no more is no failure of the task; a stdin that cannot be read is. */
async function sendStdin(
  source: ByteSource,
  sink: ByteSink,
  failed: (cause: WasimoffError) => void,
): Promise<void> {
  const end = await pump(source, sink);
  if (end?.side === "source") failed(end.cause);
}

function decodeResult({ task, outcome, provider, attempts, queuedMs, durationMs }: WireResult): TaskResult {
  const decoded = decodeOutcome(outcome);
  if (decoded === null) throw new WasimoffError("internal", "broker answered without an outcome");
  return { task, outcome: decoded, provider, attempts, queuedMs, durationMs };
}

function decodeProgress({ task, state, provider, detail }: WireProgress): TaskProgress | null {
  const known = STATES[state] ?? null;
  return known === null ? null : { task, state: known, provider, detail };
}
