/** Reaches the service that a tunnel publishes. */

import type { ByteDuplex } from "../byte_stream.ts";
import type { ReachService } from "../tunnel/tunnel_client.ts";
import { dialTcp } from "./tcp_duplex.ts";

/** What `localhost` may mean: some programs listen on one of them only. */
const LOOPBACK_ADDRESSES = ["127.0.0.1", "::1"];

/** Connects anew for each visitor; `localhost` is tried in both families. */
export function serviceDialer(hostname: string, port: number): ReachService {
  const addresses = hostname === "localhost" ? LOOPBACK_ADDRESSES : [hostname];
  let last = addresses[0]!;
  return async (_visitor, signal): Promise<ByteDuplex> => {
    let failure: unknown;
    for (const address of new Set([last, ...addresses])) { // first where it was found before
      try {
        const duplex = await dialTcp(address, port, signal);
        last = address;
        return duplex;
      } catch (error) {
        signal.throwIfAborted();
        failure ??= error;
      }
    }
    throw failure;
  };
}
