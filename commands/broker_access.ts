/** From the options of a command to its broker: where it is, how it is reached, and how both know each other. */

import { WasimoffError } from "../core/errors.ts";
import type { BrokerAccess, BrokerUrls } from "../core/host/dial_broker.ts";
import { readOperatorFile } from "../core/host/operator_file.ts";
import type { Logger } from "../core/log.ts";
import { parseBrokerUrl, readToken } from "./broker_address.ts";
import type { BROKER_FLAGS } from "./common_flags.ts";
import type { Resolved } from "./flags.ts";
import { openTransportChoice, transportMemoryPath } from "./transport_memory.ts";

export interface NamedBroker {
  readonly broker: BrokerUrls;
  /** null for none. */
  readonly token: string | null;
  readonly access: BrokerAccess;
}

/** Far above a bundle of every CA there is. */
const MAX_CA_FILE_BYTES = 4 * 1024 * 1024;

/** Reads `BROKER_FLAGS` and the files that they name. */
export async function nameBroker(
  { options, sources }: Resolved<typeof BROKER_FLAGS>,
  log: Logger,
): Promise<NamedBroker> {
  const variable = (name: string) => Deno.env.get(name);
  return {
    broker: parseBrokerUrl(options.url),
    token: await readToken(options.tokenFile, sources.tokenFile, variable),
    access: {
      transport: options.transport,
      trust: {
        caCerts: options.ca === null ? [] : [await readCa(options.ca)],
        certHashes: options.certHash,
      },
      choice: await openTransportChoice(transportMemoryPath(variable), log),
    },
  };
}

async function readCa(path: string): Promise<string> {
  const limit = { bytes: MAX_CA_FILE_BYTES, message: "it is too large for certificates" };
  const text = await readOperatorFile(path, { what: "CA file", limit });
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new WasimoffError("failed_precondition", `CA file "${path}" holds no certificate: give one in PEM`);
}
