/** A client of the existing programs on a WebSocket (wasimoff-v1 5.2). */

import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { EncodingV1, PayloadV1 } from "../protocol/envelope_v1.ts";
import type {
  Filesystem_Upload_Request,
  Task_Pyodide_Request,
  Task_Wasip1_Request,
} from "../protocol/gen/wasimoff/v1/messages_pb.ts";
import { type MessagePipe, MessengerV1 } from "../protocol/messenger_v1.ts";
import type { Identity } from "./identity/identifier.ts";
import type { TasksV1 } from "./tasks_v1.ts";

export interface ClientEndpointV1Options {
  readonly tasks: TasksV1;
  /** Owner of the names that it makes. */
  readonly identity: Identity;
  readonly logger: Logger;
}

/** Serves the requests of one client until its connection ends, which cancels those that still run. */
export function serveClientV1(
  pipe: MessagePipe,
  encoding: EncodingV1,
  { tasks, identity, logger }: ClientEndpointV1Options,
): void {
  new MessengerV1(pipe, encoding, {
    request: async (payload, signal) => {
      try {
        return await serve(payload, signal);
      } catch (error) {
        if (error instanceof WasimoffError) throw error;
        logger.error("request of a client failed", { error });
        throw new WasimoffError("internal", "request failed inside the broker: see its log");
      }
    },
    event: (payload) => logger.debug("client told something", { type: payload.$typeName }),
  });

  async function serve(payload: PayloadV1, signal: AbortSignal): Promise<PayloadV1> {
    const call = { identity, requester: "", signal }; // the existing broker tells no address here
    switch (payload.$typeName) {
      case "wasimoff.v1.Task.Wasip1.Request":
        return await tasks.runWasip1(payload as Task_Wasip1_Request, call);
      case "wasimoff.v1.Task.Pyodide.Request":
        return await tasks.runPyodide(payload as Task_Pyodide_Request, call);
      case "wasimoff.v1.Filesystem.Upload.Request":
        return await tasks.upload(payload as Filesystem_Upload_Request, call);
      default:
        throw new WasimoffError(
          "invalid_argument",
          "expecting only Task_Request/Upload messages on this socket",
        );
    }
  }
}
