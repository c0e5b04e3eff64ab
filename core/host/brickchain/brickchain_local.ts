/** The local service of a Brickchain tunnel, over HTTP and WebSocket. */

import { type IncomingMessage, request as httpRequest } from "node:http";
import { WasimoffError } from "../../errors.ts";
import { joinChunks } from "../../join_chunks.ts";
import { MAX_BODY_BYTES } from "../../tunnel/brickchain/brickchain_document.ts";
import { responseHeaders } from "../../tunnel/brickchain/brickchain_headers.ts";
import type {
  LocalService,
  ServiceAnswer,
  ServiceRequest,
} from "../../tunnel/brickchain/brickchain_service.ts";
import { openLocalWebSocket } from "./brickchain_local_websocket.ts";

export interface LocalServiceOptions {
  readonly hostname: string;
  readonly port: number;
  /** Host that the service is told; null for where it is. */
  readonly hostHeader: string | null;
}

/** A server gives up after 30 s: ours says 504 before. */
const ANSWER_TIMEOUT_MS = 25_000;
/** What `localhost` may mean: some programs listen on one of them only. */
const LOOPBACK_ADDRESSES = ["127.0.0.1", "::1"];
const WITH_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

/** Each request has a connection of its own: this protocol is not one for speed. */
export function localService({ hostname, port, hostHeader }: LocalServiceOptions): LocalService {
  const addresses = hostname === "localhost" ? LOOPBACK_ADDRESSES : [hostname];
  const host = hostHeader ?? `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  const withHost = (headers: readonly string[]) => ["Host", host, ...headers];
  return {
    request: (request, signal) =>
      firstReached(
        addresses,
        (address) => ask({ ...request, headers: withHost(request.headers) }, { address, port, signal }),
      ),
    open: ({ target, headers }, relay, signal) =>
      firstReached(
        addresses,
        (address) => openLocalWebSocket({ address, port, target, headers: withHost(headers), relay, signal }),
      ),
  };
}

/** Goes to the next address when nobody listens at one. */
async function firstReached<T>(
  addresses: readonly string[],
  attempt: (address: string) => Promise<T>,
): Promise<T> {
  let failure: unknown;
  for (const address of addresses) {
    try {
      return await attempt(address);
    } catch (error) {
      failure ??= error;
      const { code } = ((error as WasimoffError).cause ?? {}) as NodeJS.ErrnoException;
      if (code !== "ECONNREFUSED" && code !== "EADDRNOTAVAIL") break;
    }
  }
  throw failure;
}

interface Place {
  readonly address: string;
  readonly port: number;
  readonly signal: AbortSignal;
}

async function ask(request: ServiceRequest, { address, port, signal }: Place): Promise<ServiceAnswer> {
  const { method, target, headers, body } = request;
  const { promise, resolve, reject } = Promise.withResolvers<ServiceAnswer>();
  const sent = httpRequest({
    host: address,
    port,
    method,
    path: target,
    headers: framed(headers, method, body.length),
    setHost: false,
    agent: false,
  });
  const late = new WasimoffError("deadline_exceeded", `service was silent for ${ANSWER_TIMEOUT_MS / 1000} s`);
  const timer = setTimeout(() => reject(late), ANSWER_TIMEOUT_MS);
  const onAbort = () => reject(WasimoffError.from(signal.reason, "canceled"));
  signal.addEventListener("abort", onAbort, { once: true });
  sent.on(
    "error",
    (cause) => reject(new WasimoffError("unavailable", "service cannot be reached", { cause })),
  );
  sent.on("upgrade", () => reject(new WasimoffError("unavailable", "service switched protocols unasked")));
  sent.on("response", (answer) => void readAnswer(answer).then(resolve, reject));
  sent.end(body);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    sent.destroy();
  }
}

/** The length is that of the body that came, whatever the documents say. */
function framed(headers: readonly string[], method: string, length: number): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() !== "content-length") kept.push(headers[i]!, headers[i + 1]!);
  }
  return length > 0 || WITH_BODY.has(method) ? [...kept, "Content-Length", String(length)] : kept;
}

async function readAnswer(answer: IncomingMessage): Promise<ServiceAnswer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const ended = Promise.withResolvers<void>();
  answer.on("data", (chunk: Uint8Array) => {
    bytes += chunk.length;
    const message = "answer of the service is larger than the tunnel carries";
    if (bytes > MAX_BODY_BYTES) ended.reject(new WasimoffError("out_of_range", message));
    else chunks.push(chunk);
  });
  answer.once("end", ended.resolve);
  const brokeOff = new WasimoffError("unavailable", "answer of the service broke off");
  answer.once("error", () => ended.reject(brokeOff));
  answer.once("close", () => answer.complete ? ended.resolve() : ended.reject(brokeOff));
  await ended.promise;
  return {
    status: answer.statusCode!,
    headers: responseHeaders(answer.rawHeaders),
    body: joinChunks(chunks),
  };
}
