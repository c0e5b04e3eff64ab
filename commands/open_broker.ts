/** From the options of a command to the HTTP API of its broker. */

import { openFetch } from "../core/host/trusted_fetch.ts";
import type { Logger } from "../core/log.ts";
import { nameBroker } from "./broker_access.ts";
import { BrokerHttp } from "./broker_http.ts";
import type { BROKER_FLAGS } from "./common_flags.ts";
import type { Resolved } from "./flags.ts";

/** The API of the broker named by `--url`, with the token of `--token-file`. */
export async function openBroker(resolved: Resolved<typeof BROKER_FLAGS>, log: Logger): Promise<BrokerHttp> {
  const { broker, token, access } = await nameBroker(resolved, log);
  return new BrokerHttp({ url: broker.http, token, fetch: openFetch(access.trust).fetch });
}
