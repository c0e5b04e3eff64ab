/** One HTTP request of the public to a Brickchain client, and its answer. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { MemoryBudget } from "../../broker/memory_budget.ts";
import { type Code, WasimoffError } from "../../errors.ts";
import { publicAnswer } from "../../tunnel/brickchain/brickchain_answer.ts";
import { MAX_BODY_BYTES } from "../../tunnel/brickchain/brickchain_document.ts";
import { requestHeaders } from "../../tunnel/brickchain/brickchain_headers.ts";
import { splitTarget } from "../../tunnel/brickchain/brickchain_path.ts";
import type { BrickchainServer } from "../../tunnel/brickchain/brickchain_server.ts";
import { BodyFailure, HeldBody } from "./brickchain_body.ts";
import { mayBeLocal, ofOnePage, sandboxed } from "../page_sandbox.ts";

export interface BrickchainRequestOptions {
  readonly server: BrickchainServer;
  /** Of all visitors. */
  readonly bodies: MemoryBudget;
  readonly id: string;
  /** Path and query for the service. */
  readonly target: string;
  /** The peer is a trusted proxy. */
  readonly proxy: boolean;
  /** The host is that of the broker: what the client sends must not pass for a page of ours. */
  readonly onOurHost: boolean;
}

/** Existing servers lack HEAD and PATCH. */
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
/** How long a visitor may go on with a body that is refused. */
const LINGER_MS = 5_000;

/** What a code becomes for the public; statuses and most texts are those of existing servers (brickchain.md 5). */
const STATUS: Readonly<Partial<Record<Code, number>>> = {
  invalid_argument: 400,
  unimplemented: 405,
  not_found: 502,
  unavailable: 502,
  out_of_range: 502,
  deadline_exceeded: 504,
  resource_exhausted: 429,
};

/** Answers, whatever happens; what is not ours is thrown after the answer, for the log. */
export async function forwardToBrickchain(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: BrickchainRequestOptions,
): Promise<void> {
  const left = new AbortController();
  outgoing.once("close", () => left.abort());
  try {
    const answer = await ask(incoming, outgoing, { ...options, signal: left.signal });
    const headers = options.onOurHost ? ofOnePage(answer.headers) : [...answer.headers];
    const isolated = options.onOurHost && mayBeLocal(incoming);
    outgoing.writeHead(answer.status, isolated ? sandboxed(headers) : headers);
    outgoing.end(answer.body);
  } catch (error) {
    if (left.signal.aborted) return;
    if (error instanceof BodyFailure) return await refuseBody(incoming, outgoing, error);
    refuseWith(outgoing, error);
    if (!(error instanceof WasimoffError)) throw error;
  }
}

/** The text/plain answer for an error. */
export function refuseWith(outgoing: ServerResponse, error: unknown): void {
  const { code, message } = error instanceof WasimoffError
    ? error
    : new WasimoffError("internal", "request failed inside the server: see its log");
  outgoing.end(writeRefusal(outgoing, STATUS[code] ?? 500, message));
}

/**
 * What is still to come of the request is not wanted. But a connection that is closed while its peer writes may lose the
 * answer, so it is read on for a while.
 */
async function refuseBody(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  failure: BodyFailure,
): Promise<void> {
  outgoing.setHeader("connection", "close");
  outgoing.write(writeRefusal(outgoing, failure.status, failure.message));
  if (incoming.headers.expect !== undefined) return void outgoing.end(); // it was told before it began
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, LINGER_MS);
  incoming.once("end", resolve);
  incoming.once("close", resolve);
  incoming.resume();
  await promise;
  clearTimeout(timer);
  outgoing.end();
}

/** Writes the headers and gives the body. */
function writeRefusal(outgoing: ServerResponse, status: number, text: string): Uint8Array {
  const body = new TextEncoder().encode(`${text}\n`);
  outgoing.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": body.length,
    "x-content-type-options": "nosniff",
  });
  return body;
}

async function ask(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { server, bodies, id, target, proxy, signal }: BrickchainRequestOptions & { readonly signal: AbortSignal },
) {
  const { method = "GET", rawHeaders, headers } = incoming;
  const place = splitTarget(target);
  if (place === null) throw new WasimoffError("invalid_argument", "path is not UTF-8");
  if (!METHODS.has(method)) throw new WasimoffError("unimplemented", `method ${method} is not allowed`);
  if (Number(headers["content-length"] ?? 0) > MAX_BODY_BYTES) throw BodyFailure.tooLarge();
  const link = server.admit(id);
  if (headers.expect !== undefined) outgoing.writeContinue();
  using held = new HeldBody(bodies);
  const body = await held.read(incoming);
  // Tells clients that a body which came in chunks is whole: existing servers cut what is longer than ours.
  const length = body.length > 0 ? { "Content-Length": String(body.length) } : {};
  const response = await link.request({
    ...place,
    headers: { ...requestHeaders(rawHeaders, { webSocket: false, proxy }), ...length },
    method,
    body: body.toBase64(),
  }, signal);
  return publicAnswer(response, method);
}
