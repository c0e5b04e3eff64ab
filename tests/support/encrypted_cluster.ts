/** A broker over QUIC in this process, whose certificate a test replaces when it likes. */

import {
  createEphemeralCertificate,
  type EphemeralCertificate,
} from "../../core/host/ephemeral_certificate.ts";
import type { BrokerHostOptions } from "../../core/host/broker_host.ts";
import type { CertificateSource } from "../../core/host/certificate_source.ts";
import { dialWebTransport, type DialWebTransportOptions } from "../../core/host/dial_webtransport.ts";
import type { EncryptionOptions } from "../../core/host/encrypted_faces.ts";
import type { Credentials } from "../../core/host/http_server.ts";
import { SUBPROTOCOL_V2 } from "../../core/protocol/limits.ts";
import { HostCluster } from "./host_cluster.ts";

/** Nothing here takes longer. */
const PATIENCE_MS = 10_000;

export class TestCertificates implements CertificateSource {
  readonly kind = "ephemeral";
  readonly names = [];
  #served: EphemeralCertificate[];
  #listener: (credentials: Credentials) => void = () => {};

  private constructor(first: EphemeralCertificate) {
    this.#served = [first];
  }

  static async make(): Promise<TestCertificates> {
    return new TestCertificates(await create());
  }

  get credentials(): Credentials {
    const { cert, key } = this.#served[0]!;
    return { cert, key };
  }

  get hashes(): readonly string[] {
    return this.#served.map(({ hash }) => hash);
  }

  onChange(listener: (credentials: Credentials) => void): void {
    this.#listener = listener;
  }

  async replace(): Promise<void> {
    this.#served.unshift(await create());
    this.#listener(this.credentials);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const create = () => createEphemeralCertificate(["localhost", "127.0.0.1", "::1"], Date.now());

/** Starts a broker; QUIC is on any free port of localhost, HTTP on one of 127.0.0.1. */
export async function startEncrypted(
  encryption: Partial<EncryptionOptions> = {},
  options: Partial<BrokerHostOptions> = {},
): Promise<HostCluster> {
  return await HostCluster.start({
    encryption: {
      certificates: encryption.certificates ?? await TestCertificates.make(),
      https: false,
      quic: { host: "localhost", port: 0, required: true },
      transportUrl: null,
      ...encryption,
    },
    ...options,
  });
}

export interface Config {
  readonly transport: string;
  readonly certhash?: string;
  readonly certhashes?: readonly string[];
}

export async function fetchConfig({ port }: HostCluster): Promise<Config> {
  const response = await fetch(`http://localhost:${port}/api/broker/v1/config`);
  return await response.json();
}

/** Opens a session at an endpoint, trusting what the config document announces. */
export async function dial(cluster: HostCluster, endpoint: string, options: DialWebTransportOptions = {}) {
  const { transport, certhashes = [] } = await fetchConfig(cluster);
  return await dialWebTransport(`${transport}/${endpoint}`, {
    certHashes: certhashes.map((hash) => Uint8Array.fromHex(hash)),
    protocols: [SUBPROTOCOL_V2],
    signal: AbortSignal.timeout(PATIENCE_MS),
    ...options,
  });
}
