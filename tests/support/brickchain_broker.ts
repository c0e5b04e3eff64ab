/** The Brickchain face of a broker, alone on a free port. */

import { BrickchainAudience } from "../../core/host/brickchain/brickchain_audience.ts";
import { BrickchainFace, type BrickchainFaceOptions } from "../../core/host/brickchain/brickchain_face.ts";
import type { HttpServer } from "../../core/host/http_server.ts";
import { silent } from "../../core/log.ts";
import { BrickchainServer } from "../../core/tunnel/brickchain/brickchain_server.ts";
import { TunnelDomain } from "../../core/tunnel/tunnel_host_name.ts";
import type { TestNet } from "./open_server.ts";

export class BrickchainBroker implements AsyncDisposable {
  private constructor(readonly http: HttpServer, readonly server: BrickchainServer) {}

  static async start(net: TestNet, options: Partial<BrickchainFaceOptions> = {}): Promise<BrickchainBroker> {
    const server = new BrickchainServer({
      hostname: (id) => `${id}.proxy.test`,
      now: Date.now,
      newId: () => crypto.randomUUID(),
      logger: silent,
    });
    const audience = new BrickchainAudience({
      scheme: "http",
      port: () => http.address.port,
      names: [],
      publicUrls: [],
    });
    const interceptor = new BrickchainFace({
      server,
      audience,
      domain: new TunnelDomain("proxy.test"),
      isTunnel: () => false,
      isProxy: () => false,
      clientAddress: (remoteAddress) => remoteAddress,
      version: "1.2.3",
      logger: silent,
      ...options,
    });
    const fetch = () => new Response("broker's own", { status: 404 });
    const http = await net.serve({ fetch, interceptor });
    return new BrickchainBroker(http, server);
  }

  get port(): number {
    return this.http.address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Where the public asks a client. */
  at(id: unknown, path: string): string {
    return `${this.url}/proxy/request/${id}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close("broker is shutting down");
    await this.http.close({ graceMs: 1_000 });
  }
}
