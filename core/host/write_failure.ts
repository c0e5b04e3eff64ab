/** Answers a visitor of a tunnel without its service. */

import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { valuesOf } from "../tunnel/end_to_end_headers.ts";
import { errorPage, type TunnelFailure } from "../tunnel/error_page.ts";

/** Writes the page; nothing else was written before. */
export function writeFailure(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  failure: TunnelFailure,
): void {
  // What follows a request that is no good is no better.
  if (failure.status === 400 || failure.status === 431) outgoing.shouldKeepAlive = false;
  const { contentType, text } = errorPage(failure, valuesOf(incoming.rawHeaders, "accept").join());
  // Said anew: an answer of the service that was refused may have left its own there.
  outgoing.writeHead(failure.status, STATUS_CODES[failure.status]!, {
    "content-type": contentType,
    "content-length": new TextEncoder().encode(text).length,
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "x-content-type-options": "nosniff",
    ...(failure.status === 401 ? { "www-authenticate": 'Basic realm="tunnel", charset="UTF-8"' } : {}),
    ...(failure.status === 503 ? { "retry-after": "1" } : {}),
  });
  outgoing.end(text);
}
