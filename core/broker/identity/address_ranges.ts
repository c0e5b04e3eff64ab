/** Ranges of IP addresses as people write them. */

import { WasimoffError } from "../../errors.ts";
import { type IpAddress, parseIpAddress } from "./ip_address.ts";

interface Range {
  readonly address: IpAddress;
  readonly bits: number;
}

export class AddressRanges {
  readonly #ranges: readonly Range[];

  /**
   * Takes `10.0.0.0/8`, `fd00::/8` or single addresses; throws `invalid_argument` for anything else, which the message
   * calls by `what`.
   */
  constructor(cidrs: readonly string[], what: string) {
    this.#ranges = cidrs.map((cidr) => parseRange(cidr, what));
  }

  has(address: string): boolean {
    if (this.#ranges.length === 0) return false; // asked for each request
    const parsed = parseIpAddress(address);
    return parsed !== null && this.#ranges.some((range) => contains(range, parsed));
  }
}

function parseRange(cidr: string, what: string): Range {
  const [text, prefix, ...rest] = cidr.split("/");
  const address = parseIpAddress(text!);
  const bits = prefix === undefined
    ? (address?.length ?? 0) * 8
    : /^\d{1,3}$/.test(prefix)
    ? Number(prefix)
    : NaN;
  if (address === null || rest.length > 0 || !(bits <= address.length * 8)) {
    const message = `${what} "${cidr}" is no address range: write it like "10.0.0.0/8" or "fd00::/8"`;
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
