/** A WebTransport server: sessions by URL path, many on one connection. */

import { SERVER_LIMITS, type WebTransportLimits } from "./limits.ts";
import type { QuicConnection, StreamErrorCode } from "./quic_connection.ts";
import type { WebTransportRoute } from "./route.ts";
import { ServedConnection } from "./served_connection.ts";

export interface WebTransportServerOptions {
  /** By path, which is compared as a whole; a query does not count. */
  readonly routes: Readonly<Record<string, WebTransportRoute>>;
  readonly streamErrorCode: StreamErrorCode;
  readonly limits?: Partial<WebTransportLimits>;
  /**
   * Hears of errors of routes that are no WasimoffError, and of connections that break the protocol. Must not
   * throw.
   */
  readonly onError?: (error: unknown) => void;
}

/** Serves any number of connections by the same routes. */
export class WebTransportServer {
  readonly #options: WebTransportServerOptions;
  readonly #routes: ReadonlyMap<string, WebTransportRoute>;
  readonly #limits: WebTransportLimits;

  constructor(options: WebTransportServerOptions) {
    this.#options = options;
    this.#routes = new Map(Object.entries(options.routes));
    this.#limits = { ...SERVER_LIMITS, ...options.limits };
  }

  /**
   * Serves one connection until it ends. The signal ends it: no further session begins, those that are open are
   * closed with code 0. Never rejects.
   */
  async serve(quic: QuicConnection, signal?: AbortSignal): Promise<void> {
    const { streamErrorCode, onError = () => {} } = this.#options;
    const served = new ServedConnection(quic, {
      ...{ streamErrorCode, onError },
      routes: this.#routes,
      limits: this.#limits,
    });
    await served.run(signal);
  }
}
