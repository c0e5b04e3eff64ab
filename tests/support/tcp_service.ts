/** TCP services on free ports of 127.0.0.1, and connections to them, none of which a test can leave open. */

import { connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import type { PortRange } from "../../core/host/tcp_ports.ts";

export class TcpService implements AsyncDisposable {
  readonly #server: Server;
  readonly sockets = new Set<Socket>();

  private constructor(onConnection: (socket: Socket) => void) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.sockets.add(socket);
      socket.on("error", () => {}); // tests look at "close"
      socket.on("close", () => this.sockets.delete(socket));
      onConnection(socket);
    });
  }

  static async start(onConnection: (socket: Socket) => void): Promise<TcpService> {
    const service = new TcpService(onConnection);
    service.#server.listen(0, "127.0.0.1");
    await once(service.#server, "listening");
    return service;
  }

  /** Sends back what comes, and the end of it. */
  static echo(): Promise<TcpService> {
    return TcpService.start((socket) => socket.pipe(socket));
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}

/** A client's connection, destroyed at the end of its scope. */
export class TcpClient implements Disposable {
  readonly #ended = Promise.withResolvers<"end" | "reset">();
  #text = "";
  bytes = 0;

  private constructor(readonly socket: Socket) {
    socket.on("end", () => this.#ended.resolve("end"));
    socket.on("error", () => this.#ended.resolve("reset"));
  }

  static async connect(port: number): Promise<TcpClient> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    await once(socket, "connect");
    return new TcpClient(socket);
  }

  /** Begins to read; what comes is kept as text. */
  read(): this {
    this.socket.on("data", (chunk: Uint8Array) => {
      this.bytes += chunk.length;
      this.#text += new TextDecoder().decode(chunk);
    });
    return this;
  }

  /** How the other side ended; resolves only while somebody reads. */
  get ended(): Promise<"end" | "reset"> {
    return this.#ended.promise;
  }

  get text(): string {
    return this.#text;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** Ports that nobody uses now. */
export async function freePorts(count = 8): Promise<PortRange> {
  for (let tries = 0; tries < 50; tries++) {
    const first = 20_000 + Math.floor(Math.random() * 12_000); // below those that the system gives to clients
    const servers: Server[] = [];
    try {
      for (let port = first; port < first + count; port++) {
        const server = createServer().listen(port, "127.0.0.1");
        servers.push(server);
        await once(server, "listening");
      }
      return { first, last: first + count - 1 };
    } catch {
      // One is taken: another range.
    } finally {
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    }
  }
  throw new Error("no free range of ports");
}
