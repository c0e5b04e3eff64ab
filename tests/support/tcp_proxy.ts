/** A TCP proxy on a free port, whose connections a test can cut and stall. */

import { connect, createServer, type Server, type Socket } from "node:net";

interface Pair {
  readonly inner: Socket;
  readonly outer: Socket;
}

export class TcpProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #accepted = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Starts to listen on 127.0.0.1 and to forward to `port` there. */
  static async open(port: number): Promise<TcpProxy> {
    const server = createServer((outer) => proxy.#join(outer, port));
    const proxy = new TcpProxy(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new TypeError("the proxy does not listen");
    return address.port;
  }

  /** Connections that were made so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#pairs.size;
  }

  /** Breaks every connection without a goodbye; new ones are let through. */
  cut(): void {
    for (const { inner, outer } of this.#pairs) {
      inner.destroy();
      outer.destroy();
    }
  }

  /** Stops forwarding on every open connection, for ever; new ones are let through. */
  stall(): void {
    for (const { inner, outer } of this.#pairs) {
      inner.unpipe(outer).pause();
      outer.unpipe(inner).pause();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }

  #join(outer: Socket, port: number): void {
    this.#accepted++;
    const inner = connect(port, "127.0.0.1");
    const pair = { inner, outer };
    this.#pairs.add(pair);
    for (const [one, other] of [[inner, outer], [outer, inner]] as const) {
      one.setNoDelay(true);
      one.on("error", () => {}); // the close says the same
      one.on("close", () => {
        this.#pairs.delete(pair);
        other.destroy();
      });
      one.pipe(other);
    }
  }
}
