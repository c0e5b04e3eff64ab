/** How an error looks in an HTTP answer: `{"error":{"code","message"}}`. */

import { type Code, httpStatus, WasimoffError } from "./errors.ts";

/** The answer for an error. The cause stays here; the message of an error that is none of ours does, too. */
export function errorResponse(error: unknown): Response {
  const { code, message } = tellable(error);
  return answer({ error: { code, message } }, code);
}

/** The same as Connect has it, `{"code","message"}`: its codes have the names of ours. */
export function rpcErrorResponse(error: unknown): Response {
  const { code, message } = tellable(error);
  return answer({ code, message }, code);
}

function tellable(error: unknown): WasimoffError {
  return error instanceof WasimoffError
    ? error
    : new WasimoffError("internal", "request failed inside the server: see its log");
}

function answer(document: unknown, code: Code): Response {
  const headers = new Headers({ "cache-control": "no-store" });
  if (code === "unauthenticated") headers.set("www-authenticate", 'Bearer realm="wasimoff"');
  return Response.json(document, { status: httpStatus(code), headers });
}
