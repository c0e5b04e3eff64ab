/** Which proxies may say whom they forward for (`--trusted-proxies CIDR,...`). */

import { AddressRanges } from "./address_ranges.ts";
import { parseIpAddress } from "./ip_address.ts";

/** Longest list of forwarded addresses that is looked at: no honest chain of proxies is longer. */
const MAX_HOPS = 32;

export class TrustedProxies {
  readonly #ranges: AddressRanges;

  /** Takes `10.0.0.0/8`, `fd00::/8` or single addresses; throws `invalid_argument` for anything else. */
  constructor(cidrs: readonly string[]) {
    this.#ranges = new AddressRanges(cidrs, "trusted proxy");
  }

  /** Whether an address is one of a trusted proxy. */
  has(address: string): boolean {
    return this.#ranges.has(address);
  }

  /**
   * The client's address: the TCP peer, unless that is a trusted proxy; then the rightmost address of
   * X-Forwarded-For that is none. Everything left of it may be forged. Text that is no address ends the search.
   */
  clientAddress(remoteAddress: string, forwardedFor: string | null): string {
    let address = remoteAddress;
    const hops = forwardedFor?.split(",").slice(-MAX_HOPS) ?? [];
    while (this.has(address)) {
      const hop = hops.pop()?.trim();
      if (hop === undefined || parseIpAddress(hop) === null) break;
      address = hop;
    }
    return address;
  }

  /** The host[:port] that the client asked for: what a trusted proxy says, else Host; empty for none. */
  requestedHost(remoteAddress: string, headers: Headers): string {
    const forwarded = this.has(remoteAddress)
      ? headers.get("x-forwarded-host")?.split(",").at(-1)?.trim()
      : "";
    return forwarded || (headers.get("host") ?? "");
  }
}
