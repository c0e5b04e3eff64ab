/** Which URLs a Brickchain client may mean when it means this broker: nobody else's, and no prefix of ours. */

import type { IncomingMessage } from "node:http";
import { hostName, LOOPBACK_HOSTS } from "../../broker/identity/loopback_rule.ts";
import { isLoopback, parseIpAddress } from "../../broker/identity/ip_address.ts";
import { WasimoffError } from "../../errors.ts";

export interface BrickchainAudienceOptions {
  readonly scheme: "http" | "https";
  /** Where the broker listens; asked only while it does. */
  readonly port: () => number;
  /** Names of this machine and of what the broker listens on, in lower case, without brackets. */
  readonly names: readonly string[];
  /** URLs that lead here through others, such as a proxy in front. */
  readonly publicUrls: readonly string[];
}

const LOOPBACK: ReadonlySet<string> = new Set(LOOPBACK_HOSTS);

export class BrickchainAudience {
  readonly #scheme: string;
  readonly #port: () => number;
  readonly #names: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;

  /** Throws `invalid_argument` for a public URL that is none. */
  constructor({ scheme, port, names, publicUrls }: BrickchainAudienceOptions) {
    this.#scheme = scheme;
    this.#port = port;
    this.#names = new Set(names);
    this.#origins = new Set(publicUrls.map(originOf));
  }

  /**
   * Whether scheme, host and port of a token are those that its connection came to. What `Host` says proves nothing:
   * a server that got the token could replay it here with a Host of its own. So the name must be ours, and the port,
   * too; but on loopback, where only this machine is asked, ports may be forwarded.
   */
  accepts(origin: string, { socket, headers }: IncomingMessage): boolean {
    if (this.#origins.has(origin)) return true;
    const dialed = URL.parse(`${this.#scheme}://${headers.host ?? ""}`);
    if (dialed === null || dialed.origin !== origin) return false;
    const name = hostName(dialed.hostname);
    const peer = parseIpAddress(socket.remoteAddress ?? "");
    if (LOOPBACK.has(name)) return peer === null || isLoopback(peer);
    const port = Number(dialed.port) || (this.#scheme === "https" ? 443 : 80);
    return port === this.#port() &&
      (this.#names.has(name) || isSameAddress(name, socket.localAddress ?? ""));
  }
}

function isSameAddress(name: string, local: string): boolean {
  const [one, other] = [parseIpAddress(name), parseIpAddress(local)];
  return one !== null && other !== null && one.length === other.length &&
    one.every((byte, i) => byte === other[i]);
}

function originOf(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    const message = `public URL "${text}" is none: write it like "https://tunnels.example.org"`;
    throw new WasimoffError("invalid_argument", message);
  }
  return url.origin;
}
