/** Joins node's requests and a fetch handler: checks before it, errors and broken bodies after it. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { WasimoffError } from "../errors.ts";
import { errorResponse } from "../http_error.ts";
import type { Logger } from "../log.ts";
import { checkRequest, type RequestLimits } from "./request_checks.ts";

/** What a handler learns besides the request. */
export interface PeerInfo {
  /** Address of the TCP peer, without the port. */
  readonly remoteAddress: string;
  /** Its port; 0 where the platform does not say. */
  readonly remotePort: number;
  /** Names and values of the headers in turn, as they came. */
  readonly rawHeaders: readonly string[];
}

export type FetchHandler = (request: Request, peer: PeerInfo) => Response | Promise<Response>;

export interface RequestHandlerOptions {
  readonly fetch: FetchHandler;
  readonly limits: RequestLimits;
  readonly logger: Logger;
}

type Listener = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

/** A listener for `request` events. */
export function requestHandler({ fetch, limits, logger }: RequestHandlerOptions): Listener {
  const failed = (error: unknown) => {
    if (!(error instanceof WasimoffError)) logger.error("request failed", { error });
    return errorResponse(error);
  };
  const listener = getRequestListener(async (request, env) => {
    const { incoming, outgoing } = env as { incoming: IncomingMessage; outgoing: ServerResponse };
    try {
      checkRequest(incoming, limits);
      const { rawHeaders, socket: { remoteAddress = "", remotePort = 0 } } = incoming;
      const response = await fetch(request, { remoteAddress, remotePort, rawHeaders });
      return guardBody(response, outgoing, logger);
    } catch (error) {
      return failed(error);
    }
  }, {
    // Only what node:http lets through and no URL can be made of comes here.
    errorHandler: (cause) =>
      errorResponse(new WasimoffError("invalid_argument", "request is malformed", { cause })),
    overrideGlobalObjects: false,
  });
  return (incoming, outgoing) => void listener(incoming, outgoing);
}

/**
 * A body that fails while it is sent cuts the connection: that is the only way to tell a client that what it has
 * is not all. The adapter would do the same, but print the error.
 */
function guardBody(response: Response, outgoing: ServerResponse, logger: Logger): Response {
  if (response.body === null) return response;
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        logger.warn("response broke off", { error });
        outgoing.destroy();
        controller.close();
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  return new Response(body, response);
}
