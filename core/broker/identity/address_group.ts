/** Which remote addresses count as one peer, where a bound must hold for each. */

import { isLoopback, parseIpAddress } from "./ip_address.ts";

/** Bytes of an IPv6 address that one peer cannot choose: it is given a whole /64. */
const IPV6_NETWORK_BYTES = 8;

/** The same text for addresses of one peer; null for this machine, which shares no bound with strangers. */
export function addressGroup(remoteAddress: string): string | null {
  const address = parseIpAddress(remoteAddress);
  if (address === null) return remoteAddress;
  if (isLoopback(address)) return null;
  return address.length === 4 ? address.join(".") : address.subarray(0, IPV6_NETWORK_BYTES).toHex();
}
