/** What a broker serves with a certificate: QUIC, and HTTPS where it is asked for. */

import type { TransportFace } from "../broker/http/config_document.ts";
import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { BrokerQuic } from "./broker_quic.ts";
import { readCertificate } from "./certificate_details.ts";
import type { CertificateSource } from "./certificate_source.ts";
import type { Credentials, HttpServer } from "./http_server.ts";
import type { ListenAddress } from "./listen_on.ts";
import type { WebSocketRoute } from "./websocket_routes.ts";

export interface QuicAddress {
  /** null for all addresses of the machine. */
  readonly host: string | null;
  /** 0 for any free one. */
  readonly port: number;
  /** A broker that cannot have this address does not start; else it goes on without QUIC, with a warning. */
  readonly required: boolean;
}

export interface EncryptionOptions {
  /** Closed by who opened it. */
  readonly certificates: CertificateSource;
  /** Serve the HTTP face over TLS. */
  readonly https: boolean;
  /** null for nowhere. */
  readonly quic: QuicAddress | null;
  /** What clients are told; null for what fits their request. */
  readonly transportUrl: string | null;
}

export interface OpenOptions {
  readonly routes: Readonly<Record<string, WebSocketRoute>>;
  /** Told of new certificates, too. */
  readonly others: { setCredentials(credentials: Credentials): void };
}

export class EncryptedFaces {
  readonly #options: EncryptionOptions | null;
  readonly #logger: Logger;
  #quic: BrokerQuic | null = null;

  /** null for a broker with neither. */
  constructor(options: EncryptionOptions | null, logger: Logger) {
    this.#options = options;
    this.#logger = logger;
  }

  /** For the HTTP server; nothing for plain HTTP. */
  get httpOptions(): { readonly credentials?: Credentials } {
    return this.#options?.https ? { credentials: this.#options.certificates.credentials } : {};
  }

  /** Where QUIC is served, with the real port; null for nowhere. */
  get quicAddress(): ListenAddress | null {
    return this.#quic?.address ?? null;
  }

  get transport(): TransportFace {
    const { certificates, quic, transportUrl = null } = this.#options ?? {};
    const { names = [], hashes = [] } = certificates ?? {};
    const served = this.#quic === null ? null : { host: quic!.host, port: this.#quic.address.port };
    const expires = certificates && readCertificate(certificates.credentials.cert).notAfter;
    return { quic: served, url: transportUrl, names, hashes, ...(expires && { expires }) };
  }

  /** Serves QUIC beside the HTTP face, and passes on new certificates to both. */
  async open(server: HttpServer, { routes, others }: OpenOptions): Promise<void> {
    if (this.#options === null) return;
    const { certificates, https, quic } = this.#options;
    if (quic !== null) await this.#listen(quic, { certificates, ownPages: ownPages(server, https), routes });
    certificates.onChange((credentials) => {
      this.#quic?.setCredentials(credentials);
      if (https) server.setCredentials(credentials);
      others.setCredentials(credentials);
    });
  }

  /** For sessions that were told goodbye: they get `graceMs` to end. */
  async close(options: { readonly graceMs: number }): Promise<void> {
    this.#options?.certificates.onChange(() => {});
    await this.#quic?.close(options);
  }

  async #listen(address: QuicAddress, { certificates, ...rest }: {
    readonly certificates: CertificateSource;
    readonly ownPages: (name: string) => string;
    readonly routes: Readonly<Record<string, WebSocketRoute>>;
  }): Promise<void> {
    const { BrokerQuic } = await import("./broker_quic.ts");
    const options = {
      ...rest,
      port: address.port,
      credentials: certificates.credentials,
      logger: this.#logger,
    };
    try {
      this.#quic = address.host === null
        // Some machines have no IPv6.
        ? await BrokerQuic.listen({ ...options, hostnames: ["::"] })
          .catch(() => BrokerQuic.listen({ ...options, hostnames: ["0.0.0.0"] }))
        : await BrokerQuic.listen({ ...options, hostnames: addresses(address.host) });
    } catch (error) {
      if (address.required) throw error;
      this.#logger.warn(`no QUIC, WebSockets only: ${WasimoffError.from(error).message}`);
    }
  }
}

/** Browsers take either of the addresses of localhost. */
function addresses(host: string): readonly string[] {
  return host === "localhost" ? ["127.0.0.1", "::1"] : [host];
}

/** `host[:port]` in the Origin of pages that the HTTP face serves under a name. */
function ownPages({ address }: HttpServer, https: boolean): (name: string) => string {
  const port = address.port === (https ? 443 : 80) ? "" : `:${address.port}`;
  return (name) => `${name.includes(":") ? `[${name}]` : name}${port}`;
}
