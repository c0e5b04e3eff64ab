/** From the options of a command to the HTTP API of its broker. */

import { parseBrokerUrl, readToken } from "./broker_address.ts";
import { BrokerHttp } from "./broker_http.ts";
import type { BROKER_FLAGS } from "./common_flags.ts";
import type { Resolved } from "./flags.ts";

/** The API of the broker named by `--url`, with the token of `--token-file`. */
export async function openBroker({ options, sources }: Resolved<typeof BROKER_FLAGS>): Promise<BrokerHttp> {
  const { http } = parseBrokerUrl(options.url);
  const token = await readToken(options.tokenFile, sources.tokenFile, (name) => Deno.env.get(name));
  return new BrokerHttp({ url: http, token });
}
