/** How an error looks in an HTTP answer: `{"error":{"code","message"}}`. */

import { httpStatus, WasimoffError } from "./errors.ts";

/** The answer for an error. The cause stays here; the message of an error that is none of ours does, too. */
export function errorResponse(error: unknown): Response {
  const { code, message } = error instanceof WasimoffError
    ? error
    : new WasimoffError("internal", "request failed inside the server: see its log");
  const headers = new Headers({ "cache-control": "no-store" });
  if (code === "unauthenticated") headers.set("www-authenticate", 'Bearer realm="wasimoff"');
  return Response.json({ error: { code, message } }, { status: httpStatus(code), headers });
}
