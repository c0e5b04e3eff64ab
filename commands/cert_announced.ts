/** What a broker announces of its certificates, for `wasimoff cert show http://…`. */

import { fetchBrokerConfig } from "../core/host/broker_config.ts";
import { COMMON_TRUST } from "../core/host/server_trust.ts";

export interface Announced {
  readonly transport: string;
  /** SHA-256, hex; empty when the certificate is to be trusted as any other. */
  readonly hashes: readonly string[];
}

/** Until a broker must have answered. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Asks a broker over plain HTTP. Rejects where it offers no WebTransport. */
export async function findAnnounced(url: URL, signal: AbortSignal): Promise<Announced> {
  const base = new URL(url);
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  const options = { token: null, trust: COMMON_TRUST, timeoutMs: ANSWER_TIMEOUT_MS, signal };
  const { transport, certHashes } = await fetchBrokerConfig(base, options);
  return { transport: transport.href, hashes: certHashes.map((hash) => hash.toHex()) };
}

/** For people. */
export function describeAnnounced({ transport, hashes }: Announced): string {
  const rows = hashes.length === 0
    ? ["browsers   must trust the authority of its certificate"]
    : hashes.map((hash, index) => `hash       ${hash}${index === 0 ? "" : ", before or after"}`);
  return [`transport  ${transport}`, ...rows].join("\n");
}
