/** Reaches an endpoint of a broker over WebTransport, where the broker says that it has it. */

import { closeCode, WasimoffError } from "../errors.ts";
import { SUBPROTOCOL_V2 } from "../protocol/limits.ts";
import type { Connection } from "../session/connection.ts";
import { unlessAborted } from "../unless_aborted.ts";
import { openWebTransportConnection } from "../transport/webtransport_connection.ts";
import { type BrokerConfig, fetchBrokerConfig } from "./broker_config.ts";
import type { ServerTrust } from "./server_trust.ts";

export interface BrokerWebTransportOptions {
  /** The broker's URL for HTTP; ends with a slash. */
  readonly broker: URL;
  readonly endpoint: "client" | "provider" | "tunnel";
  /** null for none. */
  readonly token: string | null;
  /** Program and version. */
  readonly agent: string;
  readonly trust: ServerTrust;
}

/** How long we wait for the document, in an attempt on its own and when an older one could do. */
const CONFIG_TIMEOUT_MS = 5_000;
const NEWER_CONFIG_TIMEOUT_MS = 2_000;

/** Remembers what the broker said, for when only UDP reaches it any more. */
export class BrokerWebTransport {
  readonly #options: BrokerWebTransportOptions;
  #config: BrokerConfig | null = null;
  #asking: Promise<BrokerConfig> | null = null;

  constructor(options: BrokerWebTransportOptions) {
    this.#options = options;
  }

  /** Dials once. Rejects with a NoConfigError where there is no WebTransport, or as `dialWebTransport` does. */
  async dial(signal: AbortSignal): Promise<Connection> {
    const { endpoint, token, agent, trust } = this.#options;
    const { transport, certHashes } = await this.#askConfig(signal);
    const url = new URL(endpoint, transport).href;
    const hashes = trust.certHashes.length > 0 ? trust.certHashes : certHashes;
    // Loaded here, as programs that take a WebSocket never need it.
    const { dialWebTransport } = await import("./dial_webtransport.ts");
    const session = await dialWebTransport(url, {
      ...(hashes.length > 0 && { certHashes: hashes }),
      ...(trust.caCerts.length > 0 && { caCerts: trust.caCerts }),
      headers: { "user-agent": agent, ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
      protocols: [SUBPROTOCOL_V2],
      signal,
    });
    const leave = () => session.close({ closeCode: closeCode("canceled"), reason: "dialer has left" });
    if (session.protocol !== SUBPROTOCOL_V2) {
      leave();
      throw new WasimoffError("unimplemented", `"${url}" does not speak ${SUBPROTOCOL_V2}`);
    }
    signal.addEventListener("abort", leave, { once: true });
    try {
      return await openWebTransportConnection(session, "dialer");
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  /** Asks for the document, in case that only UDP is left one day. What goes wrong is found out when it is needed. */
  async learn(): Promise<void> {
    await this.#ask().catch(() => {});
  }

  /** What it says now; what it said before when it cannot be asked. */
  async #askConfig(signal: AbortSignal): Promise<BrokerConfig> {
    try {
      return await unlessAborted(this.#ask(), signal);
    } catch (error) {
      if (signal.aborted || this.#config === null) throw error;
      return this.#config;
    }
  }

  /** Once at a time; an attempt that is called off leaves the question for `learn`. */
  #ask(): Promise<BrokerConfig> {
    const { broker, token, trust } = this.#options;
    const timeoutMs = this.#config === null ? CONFIG_TIMEOUT_MS : NEWER_CONFIG_TIMEOUT_MS;
    this.#asking ??= fetchBrokerConfig(broker, { token, trust, timeoutMs })
      .then((config) => this.#config = config)
      .finally(() => this.#asking = null);
    return this.#asking;
  }
}
