/** Checks of what a broker says about its WebTransport: where it is, and which certificate it shows there. */

import { isLoopback, parseIpAddress } from "../../broker/identity/ip_address.ts";
import { type BrokerConfig, fetchBrokerConfig, NoConfigError } from "../broker_config.ts";
import type { ServerTrust } from "../server_trust.ts";
import { SOON_MS } from "./check_tls.ts";
import type { Verdict } from "./diagnosis.ts";

export interface ConfigCheckOptions {
  /** null for none. */
  readonly token: string | null;
  readonly trust: ServerTrust;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const OFFER_ADVICE = "start the broker with --quic :4443";

export async function checkConfig(broker: URL, options: ConfigCheckOptions): Promise<Verdict<BrokerConfig>> {
  try {
    const value = await fetchBrokerConfig(broker, options);
    const detail = `WebTransport is at ${value.transport.href}`;
    if (!isLocalHost(value.transport) || isLocalHost(broker)) return { status: "ok", detail, value };
    const advice = `start the broker with --transport-url https://${broker.hostname}:4443/transport`;
    return { status: "warn", detail: `${detail}, which is another machine from here`, advice, value };
  } catch (error) {
    if (!(error instanceof NoConfigError)) throw error;
    const asked = error.code !== "unavailable";
    return { status: "warn", detail: error.message, ...(asked && { advice: OFFER_ADVICE }) };
  }
}

/** `trust` as given by flags; `now` in Unix milliseconds. */
export function checkCertificate(
  { certHashes, expires }: BrokerConfig,
  { trust, now }: { readonly trust: ServerTrust; readonly now: number },
): Verdict<true> {
  const announced = certHashes.map((hash) => hash.toHex());
  const pinned = trust.certHashes.map((hash) => hash.toHex());
  const end = expires === null ? "" : `, until ${expires.toISOString()}`;
  const by = pinned.length > 0 ? "by --cert-hash" : trust.caCerts.length > 0 ? "by --ca" : "as any other";
  const detail = announced.length === 0
    ? `one to be trusted ${by}${end}`
    : `ephemeral${end}, taken by its SHA-256 ${announced.join(" or ")}`;
  if (announced.length > 0 && pinned.length > 0 && !pinned.some((hash) => announced.includes(hash))) {
    const advice = "take --cert-hash away, or give one of these";
    return { status: "fail", detail: `${detail}, which --cert-hash does not name`, advice };
  }
  const leftMs = expires === null ? Infinity : expires.getTime() - now;
  // An ephemeral one is replaced by itself.
  if (leftMs > (announced.length > 0 ? 0 : SOON_MS)) return { status: "ok", detail, value: true };
  return { status: "warn", detail, advice: "renew it at the broker", value: true };
}

function isLocalHost({ hostname }: URL): boolean {
  const address = parseIpAddress(hostname.replace(/^\[(.*)\]$/, "$1"));
  return hostname === "localhost" || (address !== null && isLoopback(address));
}
