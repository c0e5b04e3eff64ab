/** What went wrong between a proxy and the service behind it, in words for a visitor. */

import { WasimoffError } from "../errors.ts";
import type { TunnelFailure } from "../tunnel/error_page.ts";

export const SILENT: TunnelFailure = {
  status: 504,
  title: "No answer",
  detail: "The service behind this tunnel did not answer in time.",
};

export const SLOW_BODY: TunnelFailure = {
  status: 408,
  title: "Request too slow",
  detail: "The body of the request stopped on its way.",
};

export const UNSENDABLE: TunnelFailure = {
  status: 400,
  title: "Bad request",
  detail: "This request cannot be passed on: it has characters that HTTP does not allow.",
};

const UNREACHABLE: TunnelFailure = {
  status: 502,
  title: "Service is down",
  detail: "The tunnel is open, but nothing answers behind it: is the service running?",
};

const HUNG_UP: TunnelFailure = {
  status: 502,
  title: "Connection lost",
  detail: "The service behind this tunnel hung up without an answer.",
};

export const BUSY: TunnelFailure = {
  status: 503,
  title: "Too busy",
  detail: "This tunnel carries as many requests as it can: try again in a moment.",
};

/** An answer that is no HTTP, or that two readers could understand in two ways. */
export class InvalidAnswer extends Error {}

/** The page for what an attempt to ask a service ended with. */
export function serviceFailure(error: Error): TunnelFailure {
  if (error instanceof WasimoffError) {
    if (error.code === "resource_exhausted") return BUSY;
    if (error.code === "deadline_exceeded") return SILENT;
    return error.code === "unavailable" ? UNREACHABLE : HUNG_UP; // others break what was open
  }
  const { code = "" } = error as NodeJS.ErrnoException;
  // HPE: node's parser of HTTP.
  if (!(error instanceof InvalidAnswer) && !code.startsWith("HPE_")) return HUNG_UP;
  const detail = "The service behind this tunnel answered with something that is no valid HTTP.";
  return { status: 502, title: "Invalid answer", detail };
}
