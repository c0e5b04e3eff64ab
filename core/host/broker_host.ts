/** A whole broker on this machine: its store, its core and its public face, wired and listening. */

import { Broker } from "../broker/broker.ts";
import { ClusterV1 } from "../broker/cluster_v1.ts";
import { MemoryTaskLog } from "../broker/dispatcher/memory_task_log.ts";
import { createHttpApp, DEFAULT_MAX_UPLOAD_BYTES, type VersionInfo } from "../broker/http/http_app.ts";
import { STORAGE_PATH } from "../broker/http/storage_path.ts";
import { Identifier } from "../broker/identity/identifier.ts";
import { hostName, LOOPBACK_HOSTS } from "../broker/identity/loopback_rule.ts";
import { isLoopback, parseIpAddress } from "../broker/identity/ip_address.ts";
import { AllowedOrigins } from "../broker/identity/origins.ts";
import type { Tokens } from "../broker/identity/tokens.ts";
import { TrustedProxies } from "../broker/identity/trusted_proxies.ts";
import { TasksV1 } from "../broker/tasks_v1.ts";
import { Throughput } from "../broker/throughput.ts";
import { delay } from "../delay.ts";
import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { SessionAcceptor } from "../session/acceptor.ts";
import { FileNames } from "../storage/file_names.ts";
import type { FileStore } from "../storage/file_store.ts";
import { BrickchainHost } from "./brickchain_host.ts";
import { TunnelDomain } from "../tunnel/tunnel_host_name.ts";
import { brokerNumbers } from "./broker_numbers.ts";
import { brokerRoutes } from "./broker_routes.ts";
import { EncryptedFaces, type EncryptionOptions } from "./encrypted_faces.ts";
import { openFiles } from "./files.ts";
import { startHash } from "./hash.ts";
import type { GrpcServer, GrpcServerOptions } from "./grpc_server.ts";
import { type HttpServer, serveHttp } from "./http_server.ts";
import { firstTaker } from "./interceptors.ts";
import type { ListenAddress } from "./listen_on.ts";
import { Metrics } from "./metrics.ts";
import { OpenPipes } from "./open_pipes.ts";
import { rpcGzip } from "./rpc_compression.ts";
import type { PortRange } from "./tcp_ports.ts";
import { TunnelHost } from "./tunnel_host.ts";
import { TunnelHttp } from "./tunnel_http.ts";
import { TunnelWebSocket } from "./tunnel_websocket.ts";

export interface BrokerHostOptions {
  /** Port 0 takes any free one. */
  readonly listen: ListenAddress;
  /** Where gRPC is served over HTTP/2; null for nowhere. */
  readonly grpc: ListenAddress | null;
  /** A directory, or null to keep files in memory. */
  readonly storage: string | null;
  readonly maxQueue: number;
  /** null when the broker knows none. */
  readonly tokens: Tokens | null;
  /** Lets everybody in. */
  readonly open: boolean;
  readonly allowedOrigins: readonly string[];
  readonly trustedProxies: readonly string[];
  /** Public ports for TCP tunnels; none when absent. */
  readonly tcpPorts?: PortRange | null;
  /** The domain whose sub-domains are HTTP tunnels; when absent "localhost" on loopback, else none. */
  readonly tunnelDomain?: string | null;
  /** URLs that lead here through others; Brickchain clients name one of them. */
  readonly publicUrls?: readonly string[];
  /** For QUIC and HTTPS; with neither when absent. */
  readonly encryption?: EncryptionOptions | null;
  readonly version: VersionInfo;
  readonly logger: Logger;
}

/** A leaving broker looks this often whether everything was sent. */
const FLUSH_INTERVAL_MS = 10;
/** WebSockets that are told goodbye get this long to close. */
const CLOSE_GRACE_MS = 1_000;

export class BrokerHost implements AsyncDisposable {
  readonly broker: Broker;
  readonly files: FileStore;
  readonly #acceptor: SessionAcceptor;
  readonly #server: HttpServer;
  readonly #grpc: GrpcServer | null;
  readonly #cluster: ClusterV1;
  readonly #pipes: OpenPipes;
  readonly #tunnels: TunnelHost;
  readonly #tunnelWebSocket: TunnelWebSocket;
  readonly #brickchain: BrickchainHost;
  readonly #encrypted: EncryptedFaces;
  readonly #sampling: ReturnType<typeof setInterval>;

  private constructor(broker: Broker, files: FileStore, parts: Parts) {
    this.broker = broker;
    this.files = files;
    this.#acceptor = parts.acceptor;
    this.#server = parts.server;
    this.#grpc = parts.grpc;
    this.#cluster = parts.cluster;
    this.#pipes = parts.pipes;
    this.#tunnels = parts.tunnels;
    this.#tunnelWebSocket = parts.tunnelWebSocket;
    this.#brickchain = parts.brickchain;
    this.#encrypted = parts.encrypted;
    this.#sampling = setInterval(() => {
      parts.throughput.sample(endedTasks(broker));
      parts.cluster.tick();
    }, 1_000);
  }

  /** Starts to listen; rejects with `failed_precondition` for an address or directory that cannot be used. */
  static async start(options: BrokerHostOptions): Promise<BrokerHost> {
    const { logger, version } = options;
    const { files, nameStorage } = await openFiles(options.storage);
    const names = await FileNames.open(nameStorage);
    const broker = createBroker(options);
    const throughput = new Throughput();
    const cluster = new ClusterV1(() => ({
      providers: broker.stats.providers,
      throughput: throughput.rate,
    }));
    const pipes = new OpenPipes();
    const acceptor = new SessionAcceptor({ agent: `wasimoff/${version.version}`, capabilities: [], logger });
    const tasks = new TasksV1({ broker, files, names, startHash, now: unixMs });
    const domain = tunnelDomain(options);
    const scheme = options.encryption?.https ? "https" : "http";
    const tunnels = await openTunnels(
      options,
      domain && ((name) => domain.urlOf(name, { scheme, port: server.address.port })),
    );
    const metrics = new Metrics(() =>
      brokerNumbers({ broker, files, throughput, tunnels: tunnels.registry })
    );
    const shared = { ...accessRules(options), files, names, tasks, compression: [rpcGzip], logger };
    const encrypted = new EncryptedFaces(options.encryption ?? null, logger);
    const app = createHttpApp({
      ...shared,
      maxUploadBytes: DEFAULT_MAX_UPLOAD_BYTES,
      version,
      transport: () => encrypted.transport,
      providers: () => broker.providers(),
      metrics: () => metrics.page(),
    });
    const webSockets = { ...shared, broker, acceptor, cluster, pipes, tunnels, storagePath: STORAGE_PATH };
    const routes = brokerRoutes(webSockets);
    const brickchain = new BrickchainHost({
      ...brickchainOptions(options),
      isProxy: shared.isProxy,
      clientAddress: shared.clientAddress,
      domain,
      directory: tunnels.registry,
      port: () => server.address.port,
    });
    const tunnelWebSocket = new TunnelWebSocket({ ...shared, directory: tunnels.registry });
    const server = await serveHttp({
      ...options.listen,
      ...encrypted.httpOptions,
      fetch: (request, peer) => app.fetch(request, peer),
      webSocketRoutes: routes,
      interceptor: firstTaker([
        brickchain.face,
        ...(domain === null
          ? []
          : [new TunnelHttp({ ...shared, directory: tunnels.registry, domain, scheme })]),
        tunnelWebSocket,
      ]),
      logger,
    });
    const parts = {
      ...{ acceptor, server, encrypted, throughput, cluster, pipes, tunnels, brickchain, tunnelWebSocket },
    };
    try {
      await encrypted.open(server, routes);
      const grpc = options.grpc && await startGrpc({ ...shared, listen: options.grpc });
      return new BrokerHost(broker, files, { ...parts, grpc });
    } catch (error) {
      await encrypted.close({ graceMs: 0 });
      await server.close();
      throw error;
    }
  }

  /** Where it listens, with the real port. */
  get address(): ListenAddress {
    return this.#server.address;
  }

  /** Where QUIC is served, with the real port; null for nowhere. */
  get quicAddress(): ListenAddress | null {
    return this.#encrypted.quicAddress;
  }

  /** Where gRPC is served, with the real port; null for nowhere. */
  get grpcAddress(): ListenAddress | null {
    return this.#grpc?.address ?? null;
  }

  /** What is open behind public names. */
  get tunnels(): TunnelHost {
    return this.#tunnels;
  }

  /** Sessions that live, connected or not. */
  get sessions(): number {
    return this.#acceptor.size;
  }

  /** Takes no new tasks and resolves when the last one has ended and its client was told, or at the abort. */
  async drain(signal: AbortSignal): Promise<void> {
    try {
      await this.broker.drain(signal);
      // The answer leaves in a later microtask than the end of its task, the output when its reader has room.
      do await delay(FLUSH_INTERVAL_MS, signal); while (!this.#acceptor.flushed);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Cancels what still runs, says goodbye to everybody and stops to listen. */
  async close(): Promise<void> {
    clearInterval(this.#sampling);
    this.broker.close();
    this.#cluster.close();
    this.#acceptor.close(new WasimoffError("unavailable", "broker is shutting down"));
    this.#pipes.close("broker is shutting down");
    this.#tunnels.close();
    this.#brickchain.close("broker is shutting down");
    this.#tunnelWebSocket.close();
    await this.#grpc?.close();
    const grace = { graceMs: CLOSE_GRACE_MS };
    await Promise.all([this.#encrypted.close(grace), this.#server.close(grace)]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

interface Parts {
  readonly acceptor: SessionAcceptor;
  readonly server: HttpServer;
  readonly encrypted: EncryptedFaces;
  readonly grpc: GrpcServer | null;
  readonly throughput: Throughput;
  readonly cluster: ClusterV1;
  readonly pipes: OpenPipes;
  readonly tunnels: TunnelHost;
  readonly brickchain: BrickchainHost;
  readonly tunnelWebSocket: TunnelWebSocket;
}

function openTunnels(
  { storage, listen, tcpPorts = null, logger }: BrokerHostOptions,
  httpUrl: ((name: string) => string) | null,
): Promise<TunnelHost> {
  return TunnelHost.open({ storage, hostname: listen.hostname, tcpPorts, httpUrl, logger });
}

/** Browsers take all names below "localhost" for this machine, which is all that a loopback broker serves. */
function tunnelDomain({ tunnelDomain = null, listen: { hostname } }: BrokerHostOptions): TunnelDomain | null {
  if (tunnelDomain !== null) return new TunnelDomain(tunnelDomain);
  const address = parseIpAddress(hostname);
  const local = hostname === "localhost" || (address !== null && isLoopback(address));
  return local ? new TunnelDomain("localhost") : null;
}

function brickchainOptions(options: BrokerHostOptions) {
  const { listen, publicUrls = [], encryption, version: { version }, logger } = options;
  return {
    scheme: encryption?.https ? "https" : "http",
    hostname: listen.hostname,
    certificateNames: encryption?.https ? encryption.certificates.names : [],
    ...{ publicUrls, version, logger },
  } as const;
}

/** Loaded only when it is wanted: it takes 50 ms. */
async function startGrpc(options: GrpcServerOptions): Promise<GrpcServer> {
  const { GrpcServer } = await import("./grpc_server.ts");
  return await GrpcServer.start(options);
}

function createBroker({ maxQueue, logger }: BrokerHostOptions): Broker {
  return new Broker({
    idPrefix: `${crypto.randomUUID().slice(0, 8)}-`,
    maxQueue,
    log: new MemoryTaskLog(),
    now: unixMs,
    startHash,
    logger,
  });
}

const unixMs = () => performance.timeOrigin + performance.now();

/** Tasks that ended without an error of ours. */
function endedTasks(broker: Broker): number {
  const { exit, trap, memory, timeout, limit } = broker.stats.totals.finished;
  return exit + trap + memory + timeout + limit;
}

/** Who is let in, by the flags of the operator. */
function accessRules({ tokens, open, listen, allowedOrigins, trustedProxies }: BrokerHostOptions) {
  const knownHosts = new Set([...LOOPBACK_HOSTS, hostName(listen.hostname)]);
  const origins = new AllowedOrigins(allowedOrigins);
  const proxies = new TrustedProxies(trustedProxies);
  const identifier = new Identifier({ tokens, open, knownHosts, isProxy: proxies.has.bind(proxies) });
  return {
    identify: identifier.identify.bind(identifier),
    allowsOrigin: origins.allows.bind(origins),
    clientAddress: proxies.clientAddress.bind(proxies),
    requestedHost: proxies.requestedHost.bind(proxies),
    isProxy: proxies.has.bind(proxies),
  };
}
