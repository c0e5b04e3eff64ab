/** The library behind `submit`: a session with a broker in which tasks run as if they were local. */

import { WasimoffError } from "../errors.ts";
import { type Logger, silent } from "../log.ts";
import { Task_TraceEvent_EventType as TraceEvent } from "../protocol/gen/wasimoff/v1/messages_pb.ts";
import {
  type TaskProgress as WireProgress,
  TaskProgress_State,
} from "../protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { type EventKind, Messenger, type Result } from "../protocol/messenger.ts";
import { decodeOutcome } from "../protocol/outcome_codec.ts";
import { type Dial, openSession } from "../session/dialer.ts";
import type { Session } from "../session/session.ts";
import { requestWithStdio, type Stdio } from "../session/stdio_request.ts";
import {
  encodeTaskRequest,
  type TaskProgress,
  type TaskRequest,
  type TaskResult,
  type TaskStreams,
} from "./task_request.ts";
import { unixNanos } from "../unix_nanos.ts";

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
    const { onProgress, signal } = options;
    const stdio: Stdio = {
      stdinBytes: streams.stdinBytes ?? new Uint8Array(0),
      stdin: streams.stdin ?? null,
      stdout: streams.stdout,
      stderr: streams.stderr,
      artifacts: streams.artifacts ?? null,
      result: streams.result ?? null,
    };
    let request = 0;
    const created = unixNanos();
    try {
      const { result, broken } = await requestWithStdio(this.#session, this.#messenger, stdio, {
        method: (stdio) => ({
          case: "runTask",
          value: { ...encodeTaskRequest(task), stdio, progress: onProgress !== undefined },
        }),
        sent: (id) => {
          request = id;
          if (onProgress !== undefined) this.#progress.set(id, onProgress);
        },
        ...(signal && { signal }),
      });
      const taskResult = decodeResult(result, task.trace === true ? created : null);
      // Output may be cut when the task did not end by itself: then its outcome says why.
      if (broken !== null && taskResult.outcome.reason === "exit") throw broken.cause;
      return taskResult;
    } finally {
      this.#progress.delete(request);
    }
  }

  /** Says goodbye: tasks that still run are cancelled. Resolves when it was heard; within seconds. */
  close(): Promise<void> {
    this.#session.close(new WasimoffError("canceled", "client has left"));
    return this.#session.left;
  }

  #onEvent(event: EventKind): void {
    if (event.case !== "taskProgress") return;
    const progress = decodeProgress(event.value);
    if (progress !== null) this.#progress.get(event.value.request)?.(progress);
  }
}

/** `created` is when the client began, or null for no trace. */
function decodeResult({ case: kind, value }: Result, created: bigint | null): TaskResult {
  if (kind !== "task") {
    throw new WasimoffError("internal", `broker answered with ${kind} instead of a task's result`);
  }
  const { task, outcome, provider, attempts, queuedMs, durationMs, trace } = value;
  const decoded = decodeOutcome(outcome);
  if (decoded === null) throw new WasimoffError("internal", "broker answered without an outcome");
  const taskResult = { task, outcome: decoded, provider, attempts, queuedMs, durationMs };
  if (created === null) return taskResult;
  const first = { event: TraceEvent.ClientTransmitRequest, unixNano: created };
  const last = { event: TraceEvent.ClientReceivedResponse, unixNano: unixNanos() };
  const told = trace.map(({ event, unixNano }) => ({ event, unixNano }));
  return { ...taskResult, trace: { created, events: [first, ...told, last] } };
}

function decodeProgress({ task, state, provider, detail }: WireProgress): TaskProgress | null {
  const known = STATES[state] ?? null;
  return known === null ? null : { task, state: known, provider, detail };
}
