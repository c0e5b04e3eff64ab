/** Checks the handshake of QUIC, and with it the certificate that the broker shows there. */

import { WasimoffError } from "../../errors.ts";
import type { BrokerConfig } from "../broker_config.ts";
import { connectQuic } from "../dial_webtransport.ts";
import type { ServerTrust } from "../server_trust.ts";
import { formatMs } from "./check_tcp.ts";
import type { Verdict } from "./diagnosis.ts";

export interface QuicCheckOptions {
  readonly trust: ServerTrust;
  readonly signal: AbortSignal;
}

export async function checkQuic(
  { transport, certHashes }: BrokerConfig,
  { trust, signal }: QuicCheckOptions,
): Promise<Verdict<true>> {
  const hashes = trust.certHashes.length > 0 ? trust.certHashes : certHashes;
  const begunMs = performance.now();
  try {
    const connection = await connectQuic(transport, {
      ...(hashes.length > 0 && { certHashes: hashes }),
      ...(trust.caCerts.length > 0 && { caCerts: trust.caCerts }),
      signal,
    });
    const took = formatMs(performance.now() - begunMs);
    connection.close();
    return { status: "ok", detail: `handshake in ${took}, and the certificate is trusted`, value: true };
  } catch (error) {
    if (signal.aborted) throw error;
    return { status: "fail", detail: WasimoffError.from(error).message }; // which says what to do
  }
}
