/** Who is let into a broker, by the flags of its operator. */

import { Identifier } from "../broker/identity/identifier.ts";
import { hostName, LOOPBACK_HOSTS } from "../broker/identity/loopback_rule.ts";
import { AllowedOrigins } from "../broker/identity/origins.ts";
import type { Tokens } from "../broker/identity/tokens.ts";
import { TrustedProxies } from "../broker/identity/trusted_proxies.ts";
import type { ListenAddress } from "./listen_on.ts";

export interface AccessOptions {
  readonly listen: ListenAddress;
  /** null when the broker knows none. */
  readonly tokens: Tokens | null;
  /** Lets everybody in. */
  readonly open: boolean;
  readonly allowedOrigins: readonly string[];
  readonly trustedProxies: readonly string[];
}

export type AccessRules = ReturnType<typeof accessRules>;

export function accessRules({ tokens, open, listen, allowedOrigins, trustedProxies }: AccessOptions) {
  const knownHosts = new Set([...LOOPBACK_HOSTS, hostName(listen.hostname)]);
  const origins = new AllowedOrigins(allowedOrigins);
  const proxies = new TrustedProxies(trustedProxies);
  const identifier = new Identifier({ tokens, open, knownHosts, isProxy: proxies.has.bind(proxies) });
  return {
    identify: identifier.identify.bind(identifier),
    allowsOrigin: origins.allows.bind(origins),
    clientAddress: proxies.clientAddress.bind(proxies),
    requestedHost: proxies.requestedHost.bind(proxies),
    isProxy: proxies.has.bind(proxies),
  };
}
