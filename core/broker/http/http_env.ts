/** What travels with a request through the routes of the broker. */

import type { Context } from "hono";
import type { Identity } from "../identity/identifier.ts";

export interface HttpEnv {
  Bindings: {
    /** Address of the TCP peer, without the port. */
    readonly remoteAddress: string;
    /** Its port; 0 where the platform does not say. */
    readonly remotePort: number;
    /** Names and values of the headers in turn, as they came: a list of values may hold commas of its own. */
    readonly rawHeaders: readonly string[];
  };
  Variables: {
    /** Set for all that is not public. */
    identity: Identity;
  };
}

export type HttpContext = Context<HttpEnv>;
