/** A broker, tunnels to services on this machine, and their visitors, all in this process and over real sockets. */

import type { BrokerHostOptions } from "../../core/host/broker_host.ts";
import { connectTunnels } from "../../core/host/connect_tunnels.ts";
import { anyAccess } from "../../core/host/dial_broker.ts";
import { serviceDialer } from "../../core/host/service_dialer.ts";
import { silent } from "../../core/log.ts";
import type { WasimoffError } from "../../core/errors.ts";
import type { Session } from "../../core/session/session.ts";
import { keepTunnel } from "../../core/tunnel/keep_tunnel.ts";
import type { OpenedTunnel, ReachService, TunnelRequest } from "../../core/tunnel/tunnel_client.ts";
import { generateTunnelKey, type TunnelIdentity, tunnelIdentity } from "../../core/tunnel/tunnel_key.ts";
import { TunnelVisitor } from "../../core/tunnel/tunnel_visitor.ts";
import { HostCluster } from "./host_cluster.ts";
import { freePorts } from "./tcp_service.ts";
import { within } from "./within.ts";

export interface TestTunnelOptions extends Partial<TunnelRequest> {
  /** Port of the service on 127.0.0.1. */
  readonly service?: number;
  /** Another way to the service. */
  readonly reach?: ReachService;
  /** Another way to the broker than its own port. */
  readonly port?: number;
  readonly token?: string;
  readonly identity?: TunnelIdentity;
  readonly instance?: Uint8Array;
}

export interface TestTunnel {
  readonly opened: OpenedTunnel;
  /** Why it was lost, and how often. */
  readonly losses: readonly WasimoffError[];
  /** Resolves or rejects as `keepTunnel` does. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

export function testIdentity(): Promise<TunnelIdentity> {
  return generateTunnelKey().then(tunnelIdentity);
}

export class TunnelCluster implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();

  private constructor(readonly cluster: HostCluster) {
    this.#stack.use(cluster);
  }

  /** Starts a broker with some public ports. */
  static async start(options: Partial<BrokerHostOptions> = {}): Promise<TunnelCluster> {
    return new TunnelCluster(await HostCluster.start({ tcpPorts: await freePorts(), ...options }));
  }

  get host() {
    return this.cluster.host;
  }

  /** A session as a tunnel client or visitor has it. */
  async session({ port = this.cluster.port, token = null as string | null } = {}): Promise<Session> {
    const broker = {
      http: new URL(`http://127.0.0.1:${port}/`),
      webSocket: new URL(`ws://127.0.0.1:${port}/`),
    };
    const access = { ...anyAccess(), transport: "websocket" as const };
    const options = { broker, token, agent: "test", access, logger: silent };
    return await connectTunnels(options, AbortSignal.timeout(10_000));
  }

  /** Opens a TCP tunnel; resolves when visitors may come. */
  async tunnel(options: TestTunnelOptions = {}): Promise<TestTunnel> {
    const { service = 0, reach = serviceDialer("127.0.0.1", service), port = this.cluster.port } = options;
    const { token = null, identity = await testIdentity(), instance, ...request } = options;
    const stop = new AbortController();
    const opened = Promise.withResolvers<OpenedTunnel>();
    const losses: WasimoffError[] = [];
    const done = keepTunnel({
      openSession: () => this.session({ port, token }),
      client: { identity, instance: instance ?? crypto.getRandomValues(new Uint8Array(16)) },
      request: {
        ...{ kind: "tcp", name: "", audience: "127.0.0.1", basicAuth: [], allowCidrs: [], hostHeader: "" },
        ...request,
        port: 0,
      },
      reach,
      opened: opened.resolve,
      lost: (cause) => losses.push(cause),
      signal: stop.signal,
    });
    done.catch(opened.reject);
    const end = async () => {
      stop.abort();
      await done.catch(() => {}); // a test that wants it looks at `done`
    };
    this.#stack.defer(end);
    return { opened: await within(opened.promise, "an open tunnel"), losses, done, stop: end };
  }

  async visitor(options: { port?: number; token?: string } = {}): Promise<TunnelVisitor> {
    const visitor = new TunnelVisitor(await this.session(options));
    this.#stack.defer(() => visitor.close());
    return visitor;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
