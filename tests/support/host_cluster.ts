/** A whole broker, whole providers and clients in this process: real sockets, real slots, and all to be looked at. */

import { slotCommands } from "../../commands/slot_commands.ts";
import { Client } from "../../core/client/client.ts";
import { BrokerHost, type BrokerHostOptions } from "../../core/host/broker_host.ts";
import { PROTOCOLS } from "../../core/host/broker_routes.ts";
import { type ProviderHostOptions, runProviderHost } from "../../core/host/provider_host.ts";
import { dialV2 } from "../../core/host/dial_v2.ts";
import { anyAccess, type BrokerUrls } from "../../core/host/dial_broker.ts";
import { silent } from "../../core/log.ts";
import type { FileRef } from "../../core/storage/file_store.ts";
import { chunks } from "./chunks.ts";
import { TcpProxy } from "./tcp_proxy.ts";

/** The guest of testdata/slot, which misbehaves on demand. */
export const GUEST = Deno.readFileSync(new URL("../testdata/slot/guest.wasm", import.meta.url));

export interface TestProviderOptions extends Partial<ProviderHostOptions> {
  /** Another way to the broker than its own port. */
  readonly port?: number;
}

export interface HostedProvider {
  /** Tells it to drain; resolves when it has left. */
  leave(): Promise<void>;
}

export class HostCluster implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();

  private constructor(readonly host: BrokerHost) {
    this.#stack.use(host);
  }

  static async start(options: Partial<BrokerHostOptions> = {}): Promise<HostCluster> {
    const host = await BrokerHost.start({
      listen: { hostname: "127.0.0.1", port: 0 },
      grpc: null,
      storage: null,
      maxQueue: 10_000,
      tokens: null,
      open: false,
      allowedOrigins: [],
      trustedProxies: [],
      version: { version: "test", revision: "test", runtime: "test", protocols: PROTOCOLS },
      logger: silent,
      ...options,
    });
    return new HostCluster(host);
  }

  get port(): number {
    return this.host.address.port;
  }

  /** A proxy before the broker, for connections that break. */
  async proxy(): Promise<TcpProxy> {
    return this.#stack.use(await TcpProxy.open(this.port));
  }

  /** Starts a provider with one slot and resolves when it is seated. */
  async provider({ port = this.port, ...options }: TestProviderOptions = {}): Promise<HostedProvider> {
    const stop = new AbortController();
    const ready = Promise.withResolvers<string>();
    const done = runProviderHost({
      broker: brokerUrls(port),
      access: { ...anyAccess(), transport: "websocket" },
      token: null,
      storage: null,
      agent: "test",
      commands: slotCommands(),
      name: "p",
      labels: {},
      slots: 1,
      taskMemoryBytes: 512 * 1024 * 1024,
      taskTimeoutMs: 600_000,
      taskDiskBytes: 64 * 1024 * 1024,
      once: false,
      drainMs: 1_000,
      onReady: (id) => ready.resolve(id),
      logger: silent,
      signal: stop.signal,
      ...options,
    });
    const leave = () => {
      stop.abort();
      return done;
    };
    this.#stack.defer(leave);
    await Promise.race([ready.promise, done]);
    return { leave };
  }

  async client({ port = this.port, token = "" } = {}): Promise<Client> {
    const client = await Client.connect({
      dial: dialV2(clientUrl(port)),
      token,
    });
    this.#stack.defer(() => client.close());
    return client;
  }

  /** Stores a file, by default the guest of testdata/slot. */
  async store(bytes: Uint8Array = GUEST): Promise<FileRef> {
    return (await this.host.files.put(chunks(bytes, 65_536))).ref;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

export function brokerUrls(port: number): BrokerUrls {
  return { http: new URL(`http://127.0.0.1:${port}/`), webSocket: new URL(`ws://127.0.0.1:${port}/`) };
}

export function clientUrl(port: number): string {
  return `ws://127.0.0.1:${port}/api/client/ws`;
}

export function providerUrl(port: number): string {
  return `ws://127.0.0.1:${port}/api/provider/ws`;
}
