/** The operands of `wasimoff tunnel`: what kind of service it is, and where it listens. */

import { hostName, isLoopbackName } from "../core/broker/identity/loopback_rule.ts";
import { didYouMean } from "./suggest.ts";
import { usageError } from "./usage_error.ts";

export interface TunnelTarget {
  readonly kind: "http" | "tcp";
  readonly hostname: string;
  readonly port: number;
}

const KINDS = ["http", "tcp"] as const;
const PLACE = /^(?:(\[[0-9a-f:.]+\]|[a-z0-9._-]+):)?(\d{1,5})$/i;

/** Reads `http 3000` or `tcp db.intern:5432`; anything else is wrong usage. A port alone is one of this machine. */
export function parseTunnelTarget([kindText = "", place = ""]: readonly string[]): TunnelTarget {
  const kind = KINDS.find((kind) => kind === kindText);
  if (kind === undefined) {
    throw usageError(
      `"${kindText}" is no kind of tunnel${didYouMean(kindText, KINDS) || ": give http or tcp"}`,
    );
  }
  const [, host = "localhost", portText] = PLACE.exec(place.replace(/^(https?|tcp):\/\/([^/]+)\/?$/, "$2")) ??
    [];
  const port = Number(portText);
  if (!(port >= 1 && port <= 65_535)) {
    throw usageError(`"${place}" is no place of a service: write "3000" or "host:3000"`);
  }
  return { kind, hostname: host.replace(/^\[(.*)\]$/, "$1"), port };
}

/**
 * Refuses the broker itself as a service: raw bytes of visitors would come from its own machine, whose users need no token,
 * and requests for the tunnel's host would go round in circles.
 */
export function checkNotBroker({ hostname, port }: TunnelTarget, broker: URL): void {
  const brokerPort = Number(broker.port) || (broker.protocol === "https:" ? 443 : 80);
  const machine = (host: string) => isLoopbackName(host) ? "localhost" : host.toLowerCase();
  if (port !== brokerPort || machine(hostname) !== machine(hostName(broker.hostname))) return;
  throw usageError(`port ${port} is the broker itself: give the port of the service`);
}
