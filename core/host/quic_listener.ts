/** Listens for QUIC connections. */

import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { HTTP3_CODES } from "../webtransport/http3_error.ts";
import type { QuicConnection } from "../webtransport/quic_connection.ts";
import type { ListenAddress } from "./listen_on.ts";
import { QUIC_OPTIONS } from "./quic_options.ts";

/** A certificate chain and its key, both as PEM texts. */
export interface QuicCredentials {
  readonly cert: string;
  readonly key: string;
}

export interface QuicListenOptions extends ListenAddress {
  readonly credentials: QuicCredentials;
  readonly alpnProtocols: readonly string[];
  /** Gets each connection whose handshake is complete. */
  readonly onConnection: (connection: QuicConnection) => void;
  readonly logger: Logger;
}

/**
 * Clients that have not finished their handshake, for which they have 30 s; further ones are told to go away. So
 * many that whoever sends first packets under false addresses needs more than a hundred a second to keep others out.
 */
const MAX_HANDSHAKES = 4_096;

export class QuicListener {
  readonly address: ListenAddress;
  /** null when it is closed: its port is taken until it is collected. */
  #endpoint: Deno.QuicEndpoint | null;
  readonly #options: QuicListenOptions;
  /** All of them: new connections go to any that has ever listened, and stopping one would stop all. */
  readonly #loops: Promise<void>[] = [];
  #handshakes = 0;

  /** Rejects with `failed_precondition` when the address is taken or not ours, or the certificate is none. */
  static listen(options: QuicListenOptions): Promise<QuicListener> {
    const { hostname, port } = options;
    let endpoint: Deno.QuicEndpoint | undefined;
    try {
      endpoint = new Deno.QuicEndpoint({ hostname: hostname === "localhost" ? "127.0.0.1" : hostname, port });
      return Promise.resolve(new QuicListener(endpoint, options));
    } catch (error) {
      endpoint?.close();
      const reason = error instanceof Deno.errors.AddrInUse
        ? "another program listens there"
        : WasimoffError.from(error).message;
      const message = `cannot listen for QUIC on "${hostname}:${port}": ${reason}`;
      return Promise.reject(new WasimoffError("failed_precondition", message, { cause: error }));
    }
  }

  private constructor(endpoint: Deno.QuicEndpoint, options: QuicListenOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
    const { hostname, port } = endpoint.addr;
    this.address = { hostname, port };
    this.setCredentials(options.credentials);
  }

  /** New connections get these; those that are open live on. Throws when they are none. */
  setCredentials({ cert, key }: QuicCredentials): void {
    if (this.#endpoint === null) return;
    const alpnProtocols = [...this.#options.alpnProtocols];
    this.#loops.push(this.#accept(this.#endpoint.listen({ cert, key, alpnProtocols, ...QUIC_OPTIONS })));
  }

  /** Ends all connections. The port is free when the process has ended, or a while later. */
  async close(): Promise<void> {
    const endpoint = this.#endpoint;
    this.#endpoint = null;
    endpoint?.close({ closeCode: HTTP3_CODES.H3_NO_ERROR, reason: "server is shutting down" });
    await Promise.all(this.#loops.splice(0));
  }

  /** Until the endpoint is closed; never rejects. Nobody's handshake waits for that of another. */
  async #accept(listener: Deno.QuicListener): Promise<void> {
    for (;;) {
      let incoming: Deno.QuicIncoming;
      try {
        incoming = await listener.incoming();
      } catch (error) {
        if (this.#endpoint !== null) {
          this.#options.logger.error("quic listener stopped", { error: String(error) });
        }
        return;
      }
      if (this.#handshakes >= MAX_HANDSHAKES) incoming.refuse();
      else void this.#complete(incoming);
    }
  }

  /** Never rejects: what one client does wrong is nothing to the others. */
  async #complete(incoming: Deno.QuicIncoming): Promise<void> {
    this.#handshakes++;
    try {
      this.#options.onConnection(await incoming.accept());
    } catch (error) {
      this.#options.logger.debug("quic handshake failed", { error: String(error) });
    } finally {
      this.#handshakes--;
    }
  }
}
