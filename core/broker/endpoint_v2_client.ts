/** A client of wasimoff_v2 at the broker: translates its requests into tasks. */

import { create } from "@bufbuild/protobuf";
import { WasimoffError } from "../errors.ts";
import { Task_TraceEvent_EventType as TraceEvent } from "../protocol/gen/wasimoff/v1/messages_pb.ts";
import { type RunTask, TaskResultSchema } from "../protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { Messenger, type RequestContext, type ResultInit } from "../protocol/messenger.ts";
import type { Session } from "../session/session.ts";
import { AcceptedStdio } from "../session/stdio_response.ts";
import type { FileRef } from "../storage/file_store.ts";
import type { Broker } from "./broker.ts";
import { decodeTask, encodeProgress, encodeTaskResult, type ResolveFile } from "./task_codec.ts";
import { TaskTrace } from "./task_trace.ts";

export interface ClientEndpointOptions {
  readonly broker: Broker;
  readonly resolve: ResolveFile;
  /** Keeps a file while a task needs it; undone by the returned function. */
  readonly pin: (ref: FileRef) => () => void;
  /** Unix milliseconds; default the clock of this machine. */
  readonly now?: () => number;
}

/** Serves the tasks of one client until its session ends, which cancels those that still run. */
export function serveClient(session: Session, options: ClientEndpointOptions): void {
  const { now = () => performance.timeOrigin + performance.now() } = options;
  const messenger = new Messenger(session, {
    request: (method, context) => {
      if (method.case === "runTask") return runTask(method.value, context);
      throw new WasimoffError("unimplemented", "clients may ask for tasks only");
    },
    event: () => {}, // clients have no events to tell a broker yet
  });

  async function runTask(task: RunTask, { id, signal }: RequestContext): Promise<ResultInit> {
    const stdio = new AcceptedStdio(session, task.stdio);
    const unpins: (() => void)[] = [];
    try {
      const trace = task.trace ? new TaskTrace({ createdNs: 0n, moments: [], now }) : null;
      trace?.mark(TraceEvent.BrokerReceivedClientRequest);
      const spec = await decodeTask(task, options.resolve);
      for (const ref of [spec.module, ...spec.preopens.map(({ zip }) => zip)]) {
        if (ref !== null) unpins.push(options.pin(ref));
      }
      const result = await options.broker.submit(spec, stdio, {
        origin: { requester: "", reference: "", trace },
        signal,
        ...(task.progress && {
          onProgress: (progress) =>
            messenger.emit({ case: "taskProgress", value: encodeProgress(id, progress) }),
        }),
      });
      trace?.mark(TraceEvent.BrokerTransmitClientResponse);
      return {
        case: "task",
        value: create(TaskResultSchema, {
          ...encodeTaskResult(result),
          lengths: stdio.lengths(),
          trace: [...trace?.moments ?? []],
        }),
      };
    } catch (error) {
      stdio.abort(WasimoffError.from(error));
      throw error;
    } finally {
      for (const unpin of unpins) unpin();
    }
  }
}
