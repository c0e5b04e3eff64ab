/** The answer of a service on its way to a visitor. */

import type { IncomingMessage, ServerResponse } from "node:http";
import {
  endToEndHeaders,
  endToEndTrailers,
  type RawHeaders,
  valuesOf,
} from "../tunnel/end_to_end_headers.ts";
import { MAX_HEADER_ITEMS } from "./tunnel_http_access.ts";
import { InvalidAnswer } from "./service_failure.ts";

/** How long a visitor may read nothing of what waits for it. */
const STALLED_MS = 60_000;

export interface AnswerHooks {
  /** Everything is written. */
  ended(): void;
  /** A piece of the body. */
  readonly onBody?: (chunk: Uint8Array) => void;
  readonly stalledMs?: number;
}

/** Sends an answer on. Throws InvalidAnswer, with nothing sent, for one that nobody should get. */
export function forwardAnswer(answer: IncomingMessage, outgoing: ServerResponse, hooks: AnswerHooks): void {
  writeHead(answer, outgoing);
  let started = false;
  let stalled: ReturnType<typeof setTimeout> | undefined;
  answer.on("data", (chunk: Uint8Array) => {
    started = true;
    hooks.onBody?.(chunk);
    if (outgoing.write(chunk)) return;
    answer.pause();
    stalled = setTimeout(() => outgoing.destroy(), hooks.stalledMs ?? STALLED_MS);
  });
  outgoing.on("drain", () => {
    clearTimeout(stalled);
    answer.resume();
  });
  outgoing.once("close", () => clearTimeout(stalled));
  answer.once("end", () => {
    started = true;
    // Where the visitor's HTTP has no chunks it has no trailers either.
    if (outgoing.chunkedEncoding) outgoing.addTrailers(endToEndTrailers(answer.rawTrailers));
    outgoing.end();
    hooks.ended();
  });
  // Cutting the connection is the only way to say that what came is not all.
  answer.once("error", () => outgoing.destroy());
  // Who waits for the first event of a stream is told of the stream at once; a short body goes with the head.
  setImmediate(() => started || outgoing.destroyed || outgoing.flushHeaders());
}

function writeHead(answer: IncomingMessage, outgoing: ServerResponse): void {
  const { statusCode = 0, statusMessage = "", rawHeaders } = answer;
  checkFraming(rawHeaders);
  const bodiless = statusCode === 204; // RFC 9110 8.6
  const headers = endToEndHeaders(rawHeaders, (name) => bodiless && name === "content-length");
  const chunked = outgoing.req.httpVersionMinor === 1 && outgoing.req.method !== "HEAD" && !bodiless &&
    statusCode !== 304 && valuesOf(headers, "content-length").length === 0;
  outgoing.sendDate = false;
  try {
    // Trailers are announced only where they can follow.
    outgoing.writeHead(statusCode, statusMessage, chunked ? headers : endToEndHeaders(headers, isTrailer));
  } catch (cause) {
    throw new InvalidAnswer("answer cannot be passed on", { cause });
  }
}

const isTrailer = (name: string) => name === "trailer";

/** What node's parser takes and others read in another way. */
function checkFraming(rawHeaders: RawHeaders): void {
  if (rawHeaders.length >= MAX_HEADER_ITEMS) throw new InvalidAnswer("too many headers");
  const encodings = valuesOf(rawHeaders, "transfer-encoding");
  if (encodings.length > 0 && encodings.join().toLowerCase() !== "chunked") {
    throw new InvalidAnswer("transfer encoding is not chunked");
  }
}
