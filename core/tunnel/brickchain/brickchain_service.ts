/** One http-request at the local service of a tunnel client, and its http-response. */

import { WasimoffError } from "../../errors.ts";
import { decodeBody } from "./brickchain_answer.ts";
import {
  encodeDocument,
  type HeaderMap,
  type HttpRequestDocument,
  type HttpResponseDocument,
  MAX_BODY_BYTES,
} from "./brickchain_document.ts";
import { forwardableHeaders } from "./brickchain_headers.ts";
import { joinTarget } from "./brickchain_path.ts";
import type { BrickchainRelay, RelayedSocket } from "./brickchain_relay.ts";

export interface ServiceRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Names and values in turn, without Host. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly headers: HeaderMap;
  readonly body: Uint8Array;
}

export interface LocalService {
  /** Rejects with `unavailable`, with `deadline_exceeded`, or with `out_of_range` for an answer above MAX_BODY_BYTES. */
  request(request: ServiceRequest, signal: AbortSignal): Promise<ServiceAnswer>;
  /** A WebSocket for the relay, paused; rejects when the service refuses it. */
  open(
    request: Pick<ServiceRequest, "target" | "headers">,
    relay: BrickchainRelay,
    signal: AbortSignal,
  ): Promise<RelayedSocket>;
}

/** A whole frame of an answer: existing servers lose what is larger. */
export const MAX_ANSWER_BYTES = MAX_BODY_BYTES;

/** The frame of the answer; never rejects, as everything that goes wrong is an answer, too. */
export async function answerRequest(
  document: HttpRequestDocument,
  service: LocalService,
  { now, signal }: { now: () => number; signal: AbortSignal },
): Promise<string> {
  const { id, method } = document;
  const respond = ({ status, headers, body }: ServiceAnswer): HttpResponseDocument => ({
    kind: "http-response",
    id,
    headers,
    contentType: headers["Content-Type"] ?? "",
    status,
    body: body.toBase64(),
  });
  const fail = (status: number, text: string) => encodeDocument(respond(failure(status, text)), now());
  const target = joinTarget(document.url, document.query);
  const headers = forwardableHeaders(document.headers);
  const body = decodeBody(document.body);
  if (target === null || headers === null || body === null || !isMethod(method)) {
    return fail(400, "request cannot be read");
  }
  if (isCut(document.headers, body)) return fail(413, "request body is larger than the tunnel carries");
  try {
    const frame = encodeDocument(
      respond(await service.request({ method, target, headers, body }, signal)),
      now(),
    );
    if (fits(frame)) return frame;
    return fail(502, "answer of the service is larger than the tunnel carries");
  } catch (error) {
    const { code, message } = WasimoffError.from(error, "unavailable");
    return fail(code === "deadline_exceeded" ? 504 : 502, message);
  }
}

/** CONNECT has no answer that could travel. */
function isMethod(method: string): boolean {
  return /^[A-Z]{1,20}$/.test(method) && method !== "CONNECT";
}

function fits(frame: string): boolean {
  return frame.length <= MAX_ANSWER_BYTES && new TextEncoder().encode(frame).length <= MAX_ANSWER_BYTES;
}

/** Existing servers cut a request's body at the limit and say nothing. */
function isCut(headers: HeaderMap, body: Uint8Array): boolean {
  const length = headers["Content-Length"];
  return length === undefined ? body.length >= MAX_BODY_BYTES : Number(length) !== body.length;
}

function failure(status: number, text: string): ServiceAnswer {
  const body = new TextEncoder().encode(`${text}\n`);
  return { status, headers: { "Content-Type": "text/plain; charset=utf-8" }, body };
}
