/** Several interceptors of an HTTP server as one. */

import type { HttpInterceptor } from "./http_server.ts";

/** Each request goes to the first that takes it. */
export function firstTaker(interceptors: readonly HttpInterceptor[]): HttpInterceptor {
  const takerOf = (incoming: Parameters<HttpInterceptor["takes"]>[0]) =>
    interceptors.find((interceptor) => interceptor.takes(incoming));
  return {
    takes: (incoming) => takerOf(incoming) !== undefined,
    request: (incoming, outgoing) => takerOf(incoming)!.request(incoming, outgoing),
    upgrade: (incoming, socket, head) => takerOf(incoming)!.upgrade(incoming, socket, head),
  };
}
