/** The connections of a reverse proxy to one service: streams of its tunnel, kept for further requests. */

import { Agent, type ClientRequest } from "node:http";
import type { Duplex } from "node:stream";
import type { ByteDuplex } from "../byte_stream.ts";
import { DuplexSocket } from "./duplex_socket.ts";

/** Connections that wait for a next request: what a page of a browser or two keep busy. */
const MAX_FREE_CONNECTIONS = 64;
/** How long they wait, unless the service says that it waits less. */
const IDLE_MS = 30_000;

type Created = (error: Error | null, socket: Duplex) => void;

/** Has no bound of its own for connections in use: whoever makes requests has one. */
export class ServiceAgent extends Agent {
  readonly #onKept = new WeakSet<ClientRequest>();
  readonly #open: () => Promise<ByteDuplex>;

  /** `open` gives a new stream to the service. */
  constructor(open: () => Promise<ByteDuplex>) {
    super({ keepAlive: true, scheduling: "lifo", maxFreeSockets: MAX_FREE_CONNECTIONS, timeout: IDLE_MS });
    this.#open = open;
  }

  /** A connection for one request, which is not kept. */
  readonly connectOnce = (_options: unknown, created: Created): undefined => {
    const failed = (error: Error) => (created as (error: Error) => void)(error);
    this.#open().then((stream) => created(null, new DuplexSocket(stream)), failed);
  };

  // Node takes the connection from the callback then; its types do not know that.
  override createConnection(options: unknown, created: Created): Duplex {
    return this.connectOnce(options, created) as unknown as Duplex;
  }

  override keepSocketAlive(socket: Duplex): boolean {
    // Its answer is what node's types keep silent about.
    const kept = (super.keepSocketAlive as (socket: Duplex) => unknown)(socket) !== false;
    // What comes without a request would be taken for the answer to the next one, of another visitor.
    if (kept && socket instanceof DuplexSocket) socket.park();
    return kept && !socket.destroyed;
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    if (socket instanceof DuplexSocket) socket.unpark();
    super.reuseSocket(socket, request);
    this.#onKept.add(request);
    // By this mark Deno sends requests of all methods again when their connection turns out to be dead.
    request.reusedSocket = false;
  }

  /** Whether a request was sent on a connection that had been kept. */
  isOnKept(request: ClientRequest): boolean {
    return this.#onKept.has(request);
  }
}
