/** Listens for QUIC connections. */

import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
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

/** Clients that have not finished their handshake, for which they have 30 s; further ones are told to go away. */
const MAX_HANDSHAKES = 1_024;

export class QuicListener {
  readonly address: ListenAddress;
  readonly #endpoint: Deno.QuicEndpoint;
  readonly #options: QuicListenOptions;
  /** All of them: new connections go to any that has ever listened, and stopping one would stop all. */
  readonly #loops: Promise<void>[] = [];
  #handshakes = 0;
  #isClosed = false;

  /** Rejects with `failed_precondition` when the address is taken or not ours, or the certificate is none. */
  static async listen(options: QuicListenOptions): Promise<QuicListener> {
    const { hostname, port } = options;
    let endpoint: Deno.QuicEndpoint | undefined;
    try {
      endpoint = new Deno.QuicEndpoint({ hostname: hostname === "localhost" ? "127.0.0.1" : hostname, port });
      return await Promise.resolve(new QuicListener(endpoint, options));
    } catch (error) {
      endpoint?.close();
      const reason = error instanceof Deno.errors.AddrInUse
        ? "another program listens there"
        : WasimoffError.from(error).message;
      const message = `cannot listen for QUIC on "${hostname}:${port}": ${reason}`;
      throw new WasimoffError("failed_precondition", message, { cause: error });
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
    if (this.#isClosed) return;
    const alpnProtocols = [...this.#options.alpnProtocols];
    this.#loops.push(this.#accept(this.#endpoint.listen({ cert, key, alpnProtocols, ...QUIC_OPTIONS })));
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#endpoint.close({ closeCode: 0x100, reason: "server is shutting down" });
    await Promise.all(this.#loops);
  }

  /** Until the endpoint is closed; never rejects. Nobody's handshake waits for that of another. */
  async #accept(listener: Deno.QuicListener): Promise<void> {
    for (;;) {
      let incoming: Deno.QuicIncoming;
      try {
        incoming = await listener.incoming();
      } catch (error) {
        if (!this.#isClosed) this.#options.logger.error("quic listener stopped", { error: String(error) });
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
