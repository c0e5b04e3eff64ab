/**
 * Calls the server through a tunnel's WebSocket: `deno run -A examples/grpc/client.ts URL [NAME]`. All that differs from
 * a client without a tunnel is where its connection comes from.
 */

import { Duplex } from "node:stream";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { dial } from "../../core/host/byte_listener.ts";
import type { ByteConn } from "../../core/tunnel/byte_conn.ts";
import { Greeter } from "./greeter_pb.ts";

export interface GreeterClient extends Disposable {
  readonly greeter: Client<typeof Greeter>;
}

/** A connection as node's HTTP/2 takes it for a socket. */
class ConnSocket extends Duplex {
  readonly #conn: ByteConn;
  readonly #buffer = new Uint8Array(64 * 1024);

  constructor(conn: ByteConn) {
    super();
    this.#conn = conn;
  }

  override _read(): void {
    this.#conn.read(this.#buffer).then(
      (length) => this.push(length === null ? null : this.#buffer.slice(0, length)),
      (error) => this.destroy(error),
    );
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#conn.write(chunk).then(() => done(), done);
  }

  override _final(done: () => void): void {
    this.#conn.closeWrite().then(done);
  }

  /** The library asks for these, as sockets have them. */
  ref(): void {}

  unref(): void {}

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#conn.close();
    done(error);
  }
}

/** A client whose one HTTP/2 connection is an open stream of bytes. */
export function greeterClient(conn: ByteConn): GreeterClient {
  const baseUrl = "http://greeter.invalid"; // nobody looks this name up
  const createConnection = () => new ConnSocket(conn);
  const sessionManager = new Http2SessionManager(baseUrl, {}, { createConnection });
  const greeter = createClient(Greeter, createGrpcTransport({ baseUrl, sessionManager }));
  return { greeter, [Symbol.dispose]: () => sessionManager.abort() };
}

if (import.meta.main) {
  const [url = "ws://localhost:4080/api/tunnel/greeter/ws", name = "world"] = Deno.args;
  using client = greeterClient(await dial(url));
  // deno-lint-ignore no-console -- what the example is for
  console.log((await client.greeter.greet({ name })).greeting);
}
