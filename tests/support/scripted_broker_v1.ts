/** An existing broker, played as the specification has it (wasimoff-v1 3 to 8): real sockets, its quirks included. */

import { create, isMessage, type Message } from "@bufbuild/protobuf";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Buffer } from "node:buffer";
// @ts-types="npm:@types/ws@8.18.2"
import { type WebSocket, WebSocketServer } from "ws";
import {
  Event_ClusterInfoSchema,
  Event_ProviderResourcesSchema,
  Event_ThroughputSchema,
  Filesystem_Listing_RequestSchema,
  type Filesystem_Listing_Response,
  PingSchema,
  Task_CancelSchema,
  type Task_Metadata,
  Task_TraceEvent_EventType as Trace,
  Task_TraceEventSchema,
  type Task_Wasip1_Request,
  Task_Wasip1_RequestSchema,
  type Task_Wasip1_Response,
} from "../../core/protocol/gen/wasimoff/v1/messages_pb.ts";
import { type Answer, ScriptedPeer } from "./scripted_peer_v1.ts";
import { ScriptedStorage } from "./scripted_storage_v1.ts";
import { within } from "./within.ts";

const BINARY = "wasimoff_provider_v1_protobuf";
const JSON_TEXT = "wasimoff_provider_v1_json";

export interface ScriptedBrokerOptions {
  /** Subprotocols that it knows. */
  readonly protocols?: readonly string[];
  /** 5 s at the existing broker. */
  readonly pingMs?: number;
  /** Answers tasks of clients instead of a provider. */
  readonly answer?: Answer;
}

export interface SeatedProvider {
  readonly peer: ScriptedPeer;
  /** `?id=` */
  readonly id: string;
  readonly userAgent: string;
  readonly listed: readonly string[];
  readonly pings: { count: number };
}

export class ScriptedBroker implements AsyncDisposable {
  readonly storage = new ScriptedStorage();
  /** Every WebSocket of a client, in order. */
  readonly clients: ScriptedPeer[] = [];
  readonly providers: SeatedProvider[] = [];
  readonly #options: ScriptedBrokerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  readonly #upgrades = new WebSocketServer({
    noServer: true,
    maxPayload: 0,
    handleProtocols: (offered) => this.#protocols.find((known) => offered.has(known)) ?? false,
  });
  readonly #timers = new Set<ReturnType<typeof setInterval>>();
  #changed = Promise.withResolvers<void>();
  #lastTask = 0;

  private constructor(server: Server, options: ScriptedBrokerOptions) {
    this.#server = server;
    this.#options = options;
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    server.on("request", (request, response) => void this.storage.serve(request, response));
    server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  static async start(options: ScriptedBrokerOptions = {}): Promise<ScriptedBroker> {
    const server = createServer();
    const broker = new ScriptedBroker(server, options);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return broker;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Resolves with the provider that is seated as the n-th. */
  async provider(index = 0): Promise<SeatedProvider> {
    while (this.providers[index] === undefined) {
      await within(this.#changed.promise, `the seat of provider ${index}`);
    }
    return this.providers[index];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get #protocols(): readonly string[] {
    return this.#options.protocols ?? [BINARY, JSON_TEXT];
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { pathname, searchParams } = new URL(request.url!, "http://localhost");
    const userAgent = request.headers["user-agent"] ?? "";
    if (pathname !== "/api/provider/ws" && pathname !== "/api/client/ws") {
      return refuse(socket, "404 Not Found");
    }
    if (pathname === "/api/provider/ws" && userAgent === "") return refuse(socket, "400 Bad Request");
    this.#upgrades.handleUpgrade(request, socket, head, (webSocket) => {
      if (webSocket.protocol === "") {
        return webSocket.close(1002, `supported protocols: [${BINARY} ${JSON_TEXT}]`);
      }
      if (pathname === "/api/client/ws") return this.#serveClient(webSocket);
      void this.#seat(webSocket, searchParams.get("id") || "anonymous", userAgent);
    });
  }

  /** Asks for the listing first, without a timeout; only then the provider counts (wasimoff-v1 4.1). */
  async #seat(socket: WebSocket, id: string, userAgent: string): Promise<void> {
    const peer = new ScriptedPeer(socket, socket.protocol === JSON_TEXT, () => {
      throw new Error("requests not supported on provider socket");
    });
    let listing: Filesystem_Listing_Response;
    try {
      listing = await peer.ask(
        Filesystem_Listing_RequestSchema,
        create(Filesystem_Listing_RequestSchema),
      ) as Filesystem_Listing_Response;
    } catch (error) {
      return peer.fail(`can't get file listing: ${(error as Error).message}`);
    }
    const provider = { peer, id, userAgent, listed: listing.files, pings: { count: 0 } };
    this.providers.push(provider);
    this.#announce();
    const ping = async () => {
      const answer = await peer.request(PingSchema, create(PingSchema)).catch(() => null);
      if (answer !== null && answer.error === undefined) provider.pings.count++;
      peer.emit(Event_ThroughputSchema, create(Event_ThroughputSchema, { overall: 0 }));
    };
    const timer = setInterval(() => void ping(), this.#options.pingMs ?? 50);
    this.#timers.add(timer);
    void peer.closed.then(() => {
      clearInterval(timer);
      this.#announce();
    });
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #announce(): void {
    const seated = this.providers.filter(({ peer }) => peer.open);
    const info = create(Event_ClusterInfoSchema, { providers: seated.length });
    for (const { peer } of seated) peer.emit(Event_ClusterInfoSchema, info);
  }

  #serveClient(socket: WebSocket): void {
    const answer: Answer = async (request, sequence, peer) => {
      if (this.#options.answer !== undefined) return await this.#options.answer(request, sequence, peer);
      if (isMessage(request, Task_Wasip1_RequestSchema)) return await this.#place(request, peer);
      throw new Error("expecting only Task_Request/Upload messages on this socket");
    };
    const peer = new ScriptedPeer(socket, socket.protocol === JSON_TEXT, answer);
    this.clients.push(peer);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Resolves, sends on, retries and rewrites (wasimoff-v1 6.2, 7.1, 8.3). */
  async #place(request: Task_Wasip1_Request, client: ScriptedPeer): Promise<Message> {
    const { params, info } = request;
    if (params === undefined) return client.fail("the whole Go process dies: no params") as never;
    const binary = this.storage.resolve(params.binary);
    const rootfs = this.storage.resolve(params.rootfs);
    const own = { id: String(++this.#lastTask), requester: "", reference: info?.reference ?? "" };
    note(info, Trace.BrokerReceivedClientRequest);
    note(info, Trace.BrokerQueueTask);
    const errors: string[] = [];
    for (let attempt = 0; attempt < 10; attempt++) {
      const { peer, id: provider } = await this.#freeProvider();
      note(info, Trace.BrokerScheduleTask);
      note(info, Trace.BrokerTransmitProviderTask);
      const task = create(Task_Wasip1_RequestSchema, {
        info: { ...info?.trace && { trace: info.trace }, ...own, provider },
        ...request.qos && { qos: request.qos },
        params: { ...params, ...binary && { binary }, ...rootfs && { rootfs } },
      });
      const cancel = () => {
        const payload = create(Task_CancelSchema, { id: own.id, reason: "context canceled" });
        peer.request(Task_CancelSchema, payload).catch(() => {});
      };
      client.socket.once("close", cancel);
      try {
        const response = await peer.ask(Task_Wasip1_RequestSchema, task) as Task_Wasip1_Response;
        note(response.info, Trace.BrokerReceivedProviderResult);
        note(response.info, Trace.BrokerTransmitClientResponse);
        return { ...response, info: { ...task.info!, ...response.info, ...own } } as Message;
      } catch (error) {
        errors.push((error as Error).message);
        await new Promise((resolve) => setTimeout(resolve, 5));
      } finally {
        client.socket.off("close", cancel);
      }
    }
    throw new Error(`provider.run failed: ${errors.join("\n")}`);
  }

  async #freeProvider(): Promise<SeatedProvider> {
    for (;;) {
      const free = this.providers.find(({ peer }) => peer.open && (concurrencyOf(peer) ?? 0) > 0);
      if (free !== undefined) return free;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** Adds to the trace of a task, if it has one. */
function note(info: Task_Metadata | undefined, event: Trace): void {
  const unixnano = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;
  info?.trace?.events.push(create(Task_TraceEventSchema, { event, unixnano }));
}

/** What the provider has said last; null before it said anything, and nothing is dispatched then. */
export function concurrencyOf({ events }: ScriptedPeer): number | null {
  const said = events.findLast((event) => isMessage(event, Event_ProviderResourcesSchema));
  return said?.concurrency ?? null;
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
}
