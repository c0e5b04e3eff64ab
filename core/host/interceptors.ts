/** Several interceptors of an HTTP server as one. */

import type { IncomingMessage } from "node:http";
import type { HttpInterceptor } from "./http_server.ts";

/** Each request goes to the first that takes it. */
export function firstTaker(interceptors: readonly HttpInterceptor[]): HttpInterceptor {
  // A server asks and hands over in one turn: the answer need not be found twice.
  let asked: IncomingMessage | null = null;
  let taker: HttpInterceptor | undefined;
  const takerOf = (incoming: IncomingMessage) => {
    if (asked !== incoming) taker = interceptors.find((interceptor) => interceptor.takes(incoming));
    asked = incoming;
    return taker;
  };
  const handOver = (incoming: IncomingMessage) => {
    const found = takerOf(incoming)!;
    asked = null; // keeps no request from being collected
    return found;
  };
  return {
    takes: (incoming) => takerOf(incoming) !== undefined,
    request: (incoming, outgoing) => handOver(incoming).request(incoming, outgoing),
    upgrade: (incoming, socket, head) => handOver(incoming).upgrade(incoming, socket, head),
  };
}
