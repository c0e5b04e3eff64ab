/** What a server does with sessions that ask for a path. */

import type { WebTransportRequest } from "./request.ts";
import type { WebTransportSession } from "./session.ts";

/**
 * A session that is not let in: by an HTTP status, which pages cannot see, or by a session that is closed at once
 * with a code and a reason, which they can.
 */
export type Refusal =
  | { readonly status: number }
  | { readonly closeCode: number; readonly reason: string };

/** Who asks. `signal` is aborted when nobody waits for the answer any more. */
export interface WebTransportPeer {
  readonly remoteAddress: { readonly hostname: string; readonly port: number };
  readonly signal: AbortSignal;
}

/** What is served at one path. */
export interface WebTransportRoute {
  /** Application protocols in the order of preference; the first that the client offers, too, is agreed on. */
  readonly protocols?: readonly string[];
  /**
   * Lets a session in, or refuses it. The place to check `origin`: any page may ask. A WasimoffError refuses with
   * its HTTP status.
   */
  authorize?(
    request: WebTransportRequest,
    peer: WebTransportPeer,
  ): void | Refusal | Promise<void | Refusal>;
  /** Uses the session. An error closes it with code 1. */
  handle(session: WebTransportSession, request: WebTransportRequest): void | Promise<void>;
}
