/** The service `wasimoff.v1.Tasks` for existing clients, by Connect, gRPC-Web and gRPC (wasimoff-v1 5.1). */

import {
  Code as ConnectCode,
  ConnectError,
  type ConnectRouter,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";
import type {
  Compression,
  UniversalHandler,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import { codeNumber, WasimoffError } from "../../errors.ts";
import type { Logger } from "../../log.ts";
import { Tasks } from "../../protocol/gen/wasimoff/v1/messages_pb.ts";
import type { CallV1, TasksV1 } from "../tasks_v1.ts";
import { type BodySource, RequestBody } from "./request_body.ts";
import { retryAfter } from "./retry_after.ts";
import { headerOfUnpacked, MAX_RPC_BYTES, readRpcBody } from "./rpc_body.ts";

export interface RpcDeps {
  readonly tasks: TasksV1;
  /** What clients may compress with, besides nothing. */
  readonly compression: readonly Compression[];
  readonly logger: Logger;
}

/** Who calls. */
export type RpcCaller = Omit<CallV1, "signal">;

export interface RpcRequest extends Omit<UniversalServerRequest, "body" | "contextValues"> {
  readonly body: BodySource;
  readonly caller: RpcCaller;
}

/** Never rejects for what is wrong with a request: that is in the response. */
export type RpcHandler = (request: RpcRequest) => Promise<UniversalServerResponse>;

/** Smaller answers are sent as they are: compressing them takes longer than sending them. */
const COMPRESS_MIN_BYTES = 1024;
/** What the library allows; what a task may return is bounded where it is collected. */
const MAX_ANSWER_BYTES = 2 ** 32 - 1;

const CALLER = createContextKey<RpcCaller | null>(null);

/** Handlers by their path, e.g. `/wasimoff.v1.Tasks/Upload`. `grpc`: whether gRPC proper is spoken, which needs trailers. */
export function rpcHandlers(deps: RpcDeps, { grpc }: { grpc: boolean }): ReadonlyMap<string, RpcHandler> {
  const router = createConnectRouter({
    readMaxBytes: MAX_RPC_BYTES,
    writeMaxBytes: MAX_ANSWER_BYTES,
    acceptCompression: [...deps.compression],
    compressMinBytes: COMPRESS_MIN_BYTES,
    jsonOptions: { ignoreUnknownFields: true },
    grpc,
  });
  routeTasks(router, deps);
  return new Map(router.handlers.map((handler) => [handler.requestPath, guarded(handler, deps)]));
}

function routeTasks(router: ConnectRouter, { tasks, logger }: RpcDeps): void {
  const serve =
    <I, O>(run: (request: I, call: CallV1) => Promise<O>) => async (request: I, context: HandlerContext) => {
      const caller = context.values.get(CALLER);
      if (caller === null) throw new TypeError("a call without a caller");
      const { signal, release } = taskSignal(context.signal);
      try {
        return await run(request, { ...caller, signal });
      } catch (error) {
        if (!(error instanceof WasimoffError)) logger.error("request failed", { error });
        throw connectError(error);
      } finally {
        release(); // the library aborts its own signal after every call
      }
    };
  router.service(Tasks, {
    runWasip1: serve((request, call) => tasks.runWasip1(request, call)),
    runPyodide: serve((request, call) => tasks.runPyodide(request, call)),
    upload: serve((request, call) => tasks.upload(request, call)),
  });
}

function guarded(handler: UniversalHandler, { tasks, compression }: RpcDeps): RpcHandler {
  const { budget } = tasks;
  async function* whole({ header, body }: RpcRequest): AsyncGenerator<Uint8Array> {
    let unpackedBytes = 0;
    const reserve = (bytes: number) => {
      budget.take(bytes);
      unpackedBytes += bytes;
    };
    try {
      using source = new RequestBody(body, { maxBytes: MAX_RPC_BYTES, budget });
      const bytes = await source.bytes();
      yield await readRpcBody(bytes, { desc: handler.method.input, header, compression, reserve });
    } catch (error) {
      throw error instanceof ConnectError ? error : connectError(error);
    } finally {
      budget.give(unpackedBytes);
    }
  }
  return (request) => {
    const contextValues = createContextValues().set(CALLER, request.caller);
    const header = headerOfUnpacked(request.header, compression);
    return handler({ ...request, header, body: whole(request), contextValues });
  };
}

/** The library's deadline as ours; every other abort is a client that went. */
function taskSignal(signal: AbortSignal): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const abort = () => {
    const late = ConnectError.from(signal.reason).code === ConnectCode.DeadlineExceeded;
    controller.abort(
      late
        ? new WasimoffError("deadline_exceeded", "the deadline of the request has passed")
        : new WasimoffError("canceled", "client has gone"),
    );
  };
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  return { signal: controller.signal, release: () => signal.removeEventListener("abort", abort) };
}

function connectError(error: unknown): ConnectError {
  if (!(error instanceof WasimoffError)) {
    return new ConnectError("request failed inside the broker: see its log", ConnectCode.Internal);
  }
  return new ConnectError(error.message, codeNumber(error.code), retryAfter(error.code));
}
