/** Sessions of tunnels with a broker: for who publishes a service, and for who visits one. */

import { SUBPROTOCOL_V2 } from "../protocol/limits.ts";
import { openSession } from "../session/dialer.ts";
import type { Session } from "../session/session.ts";
import { TunnelVisitor } from "../tunnel/tunnel_visitor.ts";
import { BrokerDialer, type BrokerDialerOptions } from "./dial_broker.ts";

export type ConnectTunnelsOptions = Omit<BrokerDialerOptions, "endpoint" | "query" | "protocols">;

/** Opens a session, in one attempt; it comes back by itself while its lease lasts. */
export async function connectTunnels(options: ConnectTunnelsOptions, signal: AbortSignal): Promise<Session> {
  const { token, agent, logger } = options;
  const dialer = new BrokerDialer({ ...options, endpoint: "tunnel", protocols: [SUBPROTOCOL_V2] });
  const reached = await dialer.connect(signal);
  if (reached.generation === 1) throw new TypeError("the dialer chose what was not offered");
  return await openSession({ dial: reached.dial, token: token ?? "", agent, logger, signal });
}

/** A visitor's session, opened anew when it was lost. */
export class VisitorSession implements Disposable {
  readonly #options: ConnectTunnelsOptions;
  readonly #signal: AbortSignal;
  #current: Promise<TunnelVisitor> | null = null;

  constructor(options: ConnectTunnelsOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** The session that is open, or a new one; all who wait share one attempt. */
  async get(): Promise<TunnelVisitor> {
    const current = this.#current ??= this.#open();
    try {
      const visitor = await current;
      if (!visitor.signal.aborted) return visitor;
    } catch (error) {
      if (this.#current === current) this.#current = null;
      throw error;
    }
    if (this.#current === current) this.#current = null;
    return await this.get();
  }

  async #open(): Promise<TunnelVisitor> {
    return new TunnelVisitor(await connectTunnels(this.#options, this.#signal));
  }

  [Symbol.dispose](): void {
    this.#current?.then((visitor) => visitor.close(), () => {}); // who waited for it was told
  }
}
