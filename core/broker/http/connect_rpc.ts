/** The service `wasimoff.v1.Tasks` by Connect and gRPC-Web, and by gRPC for who has HTTP/2 (wasimoff-v1 5.1). */

import {
  Code as ConnectCode,
  ConnectError,
  type ConnectRouter,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";
import {
  type Compression,
  type UniversalHandler,
  universalServerResponseToFetch,
} from "@connectrpc/connect/protocol";
import { type Code, codeNumber, WasimoffError } from "../../errors.ts";
import type { Logger } from "../../log.ts";
import { Tasks } from "../../protocol/gen/wasimoff/v1/messages_pb.ts";
import type { Identity } from "../identity/identifier.ts";
import type { CallV1, TasksV1 } from "../tasks_v1.ts";
import type { HttpContext } from "./http_env.ts";
import { RequestBody } from "./request_body.ts";
import { retryAfter } from "./retry_after.ts";

export interface ConnectRpcDeps {
  readonly tasks: TasksV1;
  /** What clients may compress with, besides nothing. */
  readonly compression: readonly Compression[];
  readonly logger: Logger;
}

/** Where existing clients look for the service. */
export const RPC_PREFIX = "/api/client";
/** A request or response, unpacked: a module with its files. */
export const MAX_RPC_BYTES = 128 * 1024 * 1024;
/** Smaller answers are sent as they are: compressing them takes longer than sending them. */
const COMPRESS_MIN_BYTES = 1024;

/** What is known of a caller before the call, set as the context value CALLER. */
export interface RpcCaller {
  readonly identity: Identity;
  readonly requester: string;
}
export const CALLER = createContextKey<RpcCaller | null>(null);

/** Options of routers and adapters alike: sizes, encodings. */
export function rpcOptions(compression: readonly Compression[]) {
  return {
    readMaxBytes: MAX_RPC_BYTES,
    writeMaxBytes: 2 ** 32 - 1, // what a task may return is bounded where it is collected
    acceptCompression: [...compression],
    compressMinBytes: COMPRESS_MIN_BYTES,
    jsonOptions: { ignoreUnknownFields: true },
  };
}

/** Adds the service to a router. */
export function routeTasks(
  router: ConnectRouter,
  { tasks, logger }: Omit<ConnectRpcDeps, "compression">,
): void {
  const serve =
    <I, O>(run: (request: I, call: CallV1) => Promise<O>) => async (request: I, context: HandlerContext) => {
      const caller = context.values.get(CALLER);
      if (caller === null) throw new ConnectError("caller is not known", ConnectCode.Unauthenticated);
      try {
        return await run(request, { ...caller, signal: taskSignal(context.signal) });
      } catch (error) {
        if (!(error instanceof WasimoffError)) logger.error("request failed", { error });
        throw connectError(error);
      }
    };
  router.service(Tasks, {
    runWasip1: serve((request, call) => tasks.runWasip1(request, call)),
    runPyodide: serve((request, call) => tasks.runPyodide(request, call)),
    upload: serve((request, call) => tasks.upload(request, call)),
  });
}

/** Answers requests below RPC_PREFIX. gRPC proper is refused here: it needs trailers, which HTTP/1.1 clients do not read. */
export function connectHandler(deps: ConnectRpcDeps): (context: HttpContext) => Promise<Response> {
  const router = createConnectRouter({ ...rpcOptions(deps.compression), grpc: false });
  routeTasks(router, deps);
  const handlers = new Map(router.handlers.map((handler) => [RPC_PREFIX + handler.requestPath, handler]));
  return async (context) => {
    const handler = handlers.get(context.req.path);
    if (handler === undefined) throw new WasimoffError("not_found", "no such procedure");
    return await handle(handler, context, deps.tasks);
  };
}

async function handle(handler: UniversalHandler, context: HttpContext, tasks: TasksV1): Promise<Response> {
  const { raw } = context.req;
  const { remoteAddress, remotePort } = context.env;
  const requester = remotePort === 0 ? remoteAddress : `${bracketed(remoteAddress)}:${remotePort}`;
  const caller = { identity: context.get("identity"), requester };
  using body = new RequestBody(raw, { maxBytes: MAX_RPC_BYTES, budget: tasks.budget });
  const answer = universalServerResponseToFetch(
    await handler({
      httpVersion: "1.1",
      method: raw.method,
      url: raw.url,
      header: raw.headers,
      body: readable(body),
      signal: raw.signal,
      contextValues: createContextValues().set(CALLER, caller),
    }),
  );
  if (answer.status === 405) answer.headers.set("allow", "POST");
  return answer;
}

/** What the body fails with, in the words of the library. */
async function* readable(body: RequestBody): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw connectError(error);
  }
}

const bracketed = (address: string) => address.includes(":") ? `[${address}]` : address;

/** The library's deadline as ours; every other abort is a client that went. */
function taskSignal(signal: AbortSignal): AbortSignal {
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
  return controller.signal;
}

function connectError(error: unknown): ConnectError {
  const { code, message }: { code: Code; message: string } = error instanceof WasimoffError
    ? error
    : { code: "internal", message: "request failed inside the broker: see its log" };
  return new ConnectError(message, codeNumber(code), retryAfter(code));
}
