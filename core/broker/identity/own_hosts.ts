/** Which hosts mean this broker, where its operator has said so: a signature that was made for another one is worth nothing here. */

import { isLoopback, parseIpAddress } from "./ip_address.ts";
import { hostName, LOOPBACK_HOSTS } from "./loopback_rule.ts";

/** Who asks, and for which host. */
export interface HostAsked {
  /** host[:port] of the request. */
  readonly host: string;
  /** Behind trusted proxies. */
  readonly address: string;
}

const LOOPBACK: ReadonlySet<string> = new Set(LOOPBACK_HOSTS);

export class OwnHosts {
  readonly #names: ReadonlySet<string>;

  /** Takes host names and addresses without ports. */
  constructor(names: readonly string[]) {
    this.#names = new Set(names.map((name) => name.toLowerCase().replace(/^\[(.*)\]$/, "$1")));
  }

  /** Loopback names mean this machine only to who is on it: a server elsewhere may pass on what it was sent as "localhost". */
  has({ host, address }: HostAsked): boolean {
    const name = hostName(host);
    if (!LOOPBACK.has(name)) return this.#names.has(name);
    const peer = parseIpAddress(address);
    return peer !== null && isLoopback(peer);
  }
}
