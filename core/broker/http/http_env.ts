/** What travels with a request through the routes of the broker. */

import type { Context } from "hono";
import type { Identity } from "../identity/identifier.ts";

export interface HttpEnv {
  Bindings: {
    /** Address of the TCP peer, without the port. */
    readonly remoteAddress: string;
  };
  Variables: {
    /** Set for all that is not public. */
    identity: Identity;
  };
}

export type HttpContext = Context<HttpEnv>;
