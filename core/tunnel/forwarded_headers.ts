/** What a service behind a proxy is told about who asks (RFC 7239, and what was usual before it). */

import { isForwardingHeader } from "../forwarding_headers.ts";
import { type RawHeaders, valuesOf } from "./end_to_end_headers.ts";

export interface ForwardedBy {
  /** Address of the TCP peer. */
  readonly peer: string;
  /** Whether the peer is a proxy that may say for whom it asks. */
  readonly trusted: boolean;
  readonly scheme: "http" | "https";
  /** The Host of the request. */
  readonly host: string;
}

/**
 * Whether a visitor's header tells who asks, and is therefore not passed on as it came. Services behind CGI and WSGI take
 * `_` for `-`.
 */
export function claimsOrigin(name: string, trusted: boolean): boolean {
  const canonical = name.replaceAll("_", "-");
  if (!isForwardingHeader(canonical)) return false;
  return !trusted || canonical !== name || OURS.has(canonical);
}

/** Those that we send. */
const OURS: ReadonlySet<string> = new Set([
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
]);

/** Our own headers, names and values in turn: what a trusted proxy said is kept, and its address added. */
export function forwardedHeaders(raw: RawHeaders, { peer, trusted, scheme, host }: ForwardedBy): string[] {
  const said = (name: string) => trusted ? valuesOf(raw, name).join(", ") : "";
  const address = peer.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
  const join = (before: string, own: string) => before === "" ? own : `${before}, ${own}`;
  const node = address === "" ? "unknown" : address.includes(":") ? `"[${address}]"` : address;
  const element = `for=${node};host=${quoted(host)};proto=${scheme}`;
  return [
    ...["X-Forwarded-For", join(said("x-forwarded-for"), address === "" ? "unknown" : address)],
    ...["X-Forwarded-Proto", said("x-forwarded-proto") || scheme],
    ...["X-Forwarded-Host", said("x-forwarded-host") || host],
    ...["Forwarded", join(said("forwarded"), element)],
  ];
}

/** A token where it is one, which a port makes it not. */
function quoted(text: string): string {
  return /^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(text) ? text : `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}
