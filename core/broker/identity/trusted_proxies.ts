/** Which proxies may say whom they forward for (`--trusted-proxies CIDR,...`). */

import { WasimoffError } from "../../errors.ts";
import { type IpAddress, parseIpAddress } from "./ip_address.ts";

interface Range {
  readonly address: IpAddress;
  readonly bits: number;
}

/** Longest list of forwarded addresses that is looked at: no honest chain of proxies is longer. */
const MAX_HOPS = 32;

export class TrustedProxies {
  readonly #ranges: readonly Range[];

  /** Takes `10.0.0.0/8`, `fd00::/8` or single addresses; throws `invalid_argument` for anything else. */
  constructor(cidrs: readonly string[]) {
    this.#ranges = cidrs.map(parseRange);
  }

  /** Whether an address is one of a trusted proxy. */
  has(address: string): boolean {
    const parsed = parseIpAddress(address);
    return parsed !== null && this.#ranges.some((range) => contains(range, parsed));
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
}

function parseRange(cidr: string): Range {
  const [text, prefix, ...rest] = cidr.split("/");
  const address = parseIpAddress(text!);
  const bits = prefix === undefined
    ? (address?.length ?? 0) * 8
    : /^\d{1,3}$/.test(prefix)
    ? Number(prefix)
    : NaN;
  if (address === null || rest.length > 0 || !(bits <= address.length * 8)) {
    const message = `trusted proxy "${cidr}" is no address range: write it like "10.0.0.0/8" or "fd00::/8"`;
    throw new WasimoffError("invalid_argument", message);
  }
  return { address, bits };
}

function contains({ address, bits }: Range, candidate: IpAddress): boolean {
  if (address.length !== candidate.length) return false;
  return address.every((byte, i) => {
    const relevant = Math.min(8, Math.max(0, bits - i * 8));
    return (byte ^ candidate[i]!) >> (8 - relevant) === 0;
  });
}
