/** The rendezvous of `wasimoff broker`, by its flags. */

import type { ListenAddress as BoundAddress } from "../core/host/listen_on.ts";
import type { RendezvousOptions } from "../core/host/rendezvous_host.ts";
import { DEFAULT_ALLOWED_RELAY_PATTERN } from "../core/rendezvous/relay_pattern.ts";
import { BROKER_COMMAND_FLAGS, RENDEZVOUS_FLAGS } from "./broker_flags.ts";
import { flagName, type OptionsOf, type ValueSource } from "./flags.ts";
import type { ListenAddress } from "./listen_address.ts";
import { usageError } from "./usage_error.ts";

type BrokerOptions = OptionsOf<typeof BROKER_COMMAND_FLAGS>;
type Sources = Readonly<Record<keyof typeof RENDEZVOUS_FLAGS, ValueSource>>;

/** Throws for flags that do not fit together. */
export function checkRendezvousFlags(options: BrokerOptions, sources: Sources): void {
  const { rendezvous, rendezvousAddr, disableTls, cert, acmeHostnames } = options;
  if (!rendezvous && rendezvousAddr === null) {
    const names = Object.keys(RENDEZVOUS_FLAGS) as (keyof typeof RENDEZVOUS_FLAGS)[];
    const given = names.find((name) => sources[name] === "flag" && options[name] !== false);
    if (given !== undefined) throw usageError(`--${flagName(given)} is given alone: give --rendezvous, too`);
  }
  if (rendezvousAddr === null && disableTls) {
    throw usageError("--disable-tls is given alone: give --rendezvous-addr, too");
  }
  if (rendezvousAddr !== null && !disableTls && cert === null && acmeHostnames.length === 0) {
    throw usageError(
      "--rendezvous-addr needs a certificate: give --cert and --key, --acme-hostnames, or --disable-tls",
    );
  }
}

/** Whether it speaks TLS on a listener of its own. */
export function rendezvousTls({ rendezvousAddr, disableTls }: BrokerOptions): boolean {
  return rendezvousAddr !== null && !disableTls;
}

/** What the flags say; null for no rendezvous. `bound` gives an address of the family that the broker got. */
export function rendezvousOptions(
  options: BrokerOptions,
  bound: (address: ListenAddress) => BoundAddress,
): RendezvousOptions | null {
  const { rendezvous, rendezvousAddr, bridgeListPath, unsafeLogging } = options;
  if (!rendezvous && rendezvousAddr === null) return null;
  return {
    shared: rendezvous,
    listen: rendezvousAddr && { ...bound(rendezvousAddr), tls: rendezvousTls(options) },
    allowedRelayPattern: options.allowedRelayPattern ?? DEFAULT_ALLOWED_RELAY_PATTERN,
    defaultRelayPattern: options.defaultRelayPattern,
    pollsPerAddress: options.rendezvousPolls,
    metricsLog: options.rendezvousMetricsLog,
    ...{ bridgeListPath, unsafeLogging },
  };
}
