/** The loopback rule: who counts as a user of this machine and needs no token (design.md). */

import { isForwardingHeader } from "../../forwarding_headers.ts";
import { isLoopback, parseIpAddress } from "./ip_address.ts";

export interface Caller {
  /** Address of the TCP peer, without the port. */
  readonly remoteAddress: string;
  readonly headers: Headers;
}

/** Hosts under which a program on the same machine reaches us. */
export const LOOPBACK_HOSTS: readonly string[] = ["localhost", "127.0.0.1", "::1"];

/**
 * Whether a caller is local: a loopback address, no forwarding header, a Host we know (a page that rebinds its
 * DNS name to 127.0.0.1 comes with its own), and no Origin but ours (a page elsewhere comes with its own).
 * `knownHosts` are host names and addresses in lower case, without port and brackets.
 */
export function isLocal({ remoteAddress, headers }: Caller, knownHosts: ReadonlySet<string>): boolean {
  const address = parseIpAddress(remoteAddress);
  if (address === null || !isLoopback(address)) return false;
  for (const name of headers.keys()) {
    // Only a proxy sets these: its peer is somebody else.
    if (name === "via" || isForwardingHeader(name)) return false;
  }
  const host = headers.get("host");
  if (host === null || !knownHosts.has(hostName(host))) return false;
  const origin = headers.get("origin");
  return origin === null || originHost(origin) === host.toLowerCase();
}

/** `Host` without port and brackets, in lower case; an IPv6 address without brackets has no port. */
export function hostName(host: string): string {
  const bare = /^[^[]*:[^[]*:/.test(host) ? host : host.replace(/:\d+$/, "");
  return bare.toLowerCase().replace(/^\[(.*)\]$/, "$1");
}

/** Whether a host, without port and brackets, is this machine seen from within. */
export function isLoopbackName(host: string): boolean {
  const address = parseIpAddress(host);
  return host === "localhost" || (address !== null && isLoopback(address));
}

/** `host[:port]` of an Origin in lower case; null for `null` and whatever else is not of that form. */
export function originHost(origin: string): string | null {
  return /^https?:\/\/([^/?#@\\\s]+)$/.exec(origin.toLowerCase())?.[1] ?? null;
}
