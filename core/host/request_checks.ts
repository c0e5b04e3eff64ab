/** What is wrong with a request before anybody looks at its path. */

import type { IncomingMessage } from "node:http";
import { WasimoffError } from "../errors.ts";
import { targetAuthority } from "./tunnel_http_access.ts";

export interface RequestLimits {
  /** A body that announces more is refused before it is read. */
  readonly bodyBytes: number;
}

/** Throws a WasimoffError for a request that nobody should handle. */
export function checkRequest(incoming: IncomingMessage, limits: RequestLimits): void {
  let hosts = 0;
  for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
    if (incoming.rawHeaders[i]!.toLowerCase() === "host") hosts++;
  }
  // Two hosts: a proxy in front may have decided by the other one. Deno's parser lets them through.
  if (hosts !== 1) throw new WasimoffError("invalid_argument", "request must have exactly one Host header");
  const authority = targetAuthority(incoming.url ?? "");
  if (authority !== null && authority !== incoming.headers.host?.toLowerCase()) {
    throw new WasimoffError("invalid_argument", "request target and Host header name different hosts");
  }
  if (Number(incoming.headers["content-length"] ?? 0) > limits.bodyBytes) {
    throw new WasimoffError("out_of_range", `body is too large: ${limits.bodyBytes} bytes are allowed`);
  }
}
