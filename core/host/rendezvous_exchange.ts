/** A request to the rendezvous and what its answer is written to. */

import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { RendezvousReply } from "../rendezvous/rendezvous.ts";

export type HeaderFields = Readonly<Record<string, string>>;

/** Pages of any origin poll, ask and answer. */
export const CORS: HeaderFields = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Headers": "Origin, X-Session-ID",
};

/** What replies need to be written; the peer may be gone before. */
export interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** Path without a query. */
  readonly path: string;
}

/** Writes a whole answer unless there is one already, or nobody to read it. */
export function writeReply(
  outgoing: ServerResponse,
  { status, body }: RendezvousReply,
  headers: HeaderFields,
): void {
  if (outgoing.destroyed || outgoing.headersSent) return;
  outgoing.writeHead(status, { ...headers, "Content-Length": Buffer.byteLength(body) });
  outgoing.end(body);
}
