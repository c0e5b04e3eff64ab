/** A whole broker on this machine: its store, its core and its public face, wired and listening. */

import { Broker } from "../broker/broker.ts";
import { ClusterV1 } from "../broker/cluster_v1.ts";
import { MemoryTaskLog } from "../broker/dispatcher/memory_task_log.ts";
import { createHttpApp, DEFAULT_MAX_UPLOAD_BYTES, type VersionInfo } from "../broker/http/http_app.ts";
import { STORAGE_PATH } from "../broker/http/storage_path.ts";
import { TasksV1 } from "../broker/tasks_v1.ts";
import { Throughput } from "../broker/throughput.ts";
import { delay } from "../delay.ts";
import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { SessionAcceptor } from "../session/acceptor.ts";
import { FileNames } from "../storage/file_names.ts";
import type { FileStore } from "../storage/file_store.ts";
import { type AccessOptions, type AccessRules, accessRules } from "./access_rules.ts";
import { brokerNumbers } from "./broker_numbers.ts";
import { brokerRoutes } from "./broker_routes.ts";
import { EncryptedFaces, type EncryptionOptions } from "./encrypted_faces.ts";
import { openFiles } from "./files.ts";
import { startHash } from "./hash.ts";
import type { GrpcServer, GrpcServerOptions } from "./grpc_server.ts";
import { type HttpServer, serveHttp } from "./http_server.ts";
import type { ListenAddress } from "./listen_on.ts";
import { Metrics } from "./metrics.ts";
import { OpenPipes } from "./open_pipes.ts";
import { PublicFaces } from "./public_faces.ts";
import type { RendezvousOptions } from "./rendezvous_host.ts";
import { rpcGzip } from "./rpc_compression.ts";
import type { PortRange } from "./tcp_ports.ts";
import type { TunnelHost } from "./tunnel_host.ts";

export interface BrokerHostOptions extends AccessOptions {
  /** Where gRPC is served over HTTP/2; null for nowhere. */
  readonly grpc: ListenAddress | null;
  /** A directory, or null to keep files in memory. */
  readonly storage: string | null;
  readonly maxQueue: number;
  /** Public ports for TCP tunnels; none when absent. */
  readonly tcpPorts?: PortRange | null;
  /** The domain whose sub-domains are HTTP tunnels; when absent "localhost" on loopback, else none. */
  readonly tunnelDomain?: string | null;
  /** URLs that lead here through others; Brickchain clients name one of them. */
  readonly publicUrls?: readonly string[];
  /** None when absent. */
  readonly rendezvous?: RendezvousOptions | null;
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
  readonly #faces: PublicFaces;
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
    this.#faces = parts.faces;
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
    const access = accessRules(options);
    const faces = await openFaces(options, { access, port: () => server.address.port });
    const metrics = new Metrics(() => brokerNumbers({ broker, files, throughput, tunnels: faces.registry }));
    const shared = { ...access, files, names, tasks, compression: [rpcGzip], logger };
    const encrypted = new EncryptedFaces(options.encryption ?? null, logger);
    const app = createHttpApp({
      ...shared,
      maxUploadBytes: DEFAULT_MAX_UPLOAD_BYTES,
      version,
      transport: () => encrypted.transport,
      providers: () => broker.providers(),
      metrics: () => metrics.page(),
    });
    const webSockets = { ...shared, broker, acceptor, cluster, pipes, storagePath: STORAGE_PATH };
    const routes = brokerRoutes({ ...webSockets, tunnels: faces.tunnels });
    const server = await serveHttp({
      ...options.listen,
      ...encrypted.httpOptions,
      fetch: (request, peer) => app.fetch(request, peer),
      webSocketRoutes: routes,
      interceptor: faces.interceptor,
      logger,
    });
    const parts = { acceptor, server, encrypted, throughput, cluster, pipes, faces };
    try {
      await encrypted.open(server, { routes, others: faces });
      const grpc = options.grpc && await startGrpc({ ...shared, listen: options.grpc });
      return new BrokerHost(broker, files, { ...parts, grpc });
    } catch (error) {
      await encrypted.close({ graceMs: 0 });
      await faces.close();
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
    return this.#faces.tunnels;
  }

  /** Where the rendezvous has a listener of its own, with the real port; null for nowhere. */
  get rendezvousAddress(): ListenAddress | null {
    return this.#faces.rendezvousAddress;
  }

  /** Sessions that live, connected or not. */
  get sessions(): number {
    return this.#acceptor.size;
  }

  /** Takes no new tasks and resolves when the last one has ended and its client was told, or at the abort. */
  async drain(signal: AbortSignal): Promise<void> {
    try {
      await this.broker.drain(signal);
      this.#faces.tunnels.close(); // their streams have no end of their own
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
    await Promise.all([this.#faces.close(), this.#grpc?.close()]);
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
  readonly faces: PublicFaces;
}

function openFaces(
  options: BrokerHostOptions,
  { access, port }: { readonly access: AccessRules; readonly port: () => number },
): Promise<PublicFaces> {
  const { listen, storage, encryption, tcpPorts = null, tunnelDomain = null, logger } = options;
  const { publicUrls = [], rendezvous = null, version: { version } } = options;
  return PublicFaces.open({
    ...{ listen, storage, tcpPorts, tunnelDomain, publicUrls, rendezvous, access, version, port, logger },
    scheme: encryption?.https ? "https" : "http",
    certificateNames: encryption?.https ? encryption.certificates.names : [],
    credentials: encryption?.certificates.credentials ?? null,
  });
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
