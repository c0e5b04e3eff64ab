/** Public TCP ports of a broker: one for each TCP tunnel, as long as it is open. */

import { createServer, type Server, type Socket } from "node:net";
import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { joinDuplexes } from "../tunnel/join_duplexes.ts";
import type { RegisteredTunnel } from "../tunnel/registered_tunnel.ts";
import { listenOn } from "./listen_on.ts";
import { TCP_OPTIONS, tcpDuplex } from "./tcp_duplex.ts";

/** Both ends belong to it. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export interface TcpPortsOptions {
  /** Where to listen. */
  readonly hostname: string;
  /** null when there are no public ports. */
  readonly range: PortRange | null;
  readonly logger: Logger;
}

interface Door {
  readonly port: number;
  readonly server: Server;
  /** Whom visitors are led to; another one of the same name may take over. */
  tunnel: RegisteredTunnel;
}

export class TcpPorts {
  readonly #options: TcpPortsOptions;
  readonly #doors = new Map<number, Door>();
  readonly #sockets = new Set<Socket>();
  readonly #closed = new AbortController();

  constructor(options: TcpPortsOptions) {
    this.#options = options;
  }

  /** Ports that are open. */
  get size(): number {
    return this.#doors.size;
  }

  /** Throws `failed_precondition` for a port that is not ours to give, `already_exists` for one of another tunnel. */
  check(name: string, port: number): void {
    if (port === 0) return;
    const { range } = this.#options;
    if (range === null) {
      throw new WasimoffError("failed_precondition", "broker has no public TCP ports: see its --tcp-ports");
    }
    if (port < range.first || port > range.last) {
      const message = `port ${port} is not public at this broker: ask for ${range.first} to ${range.last}`;
      throw new WasimoffError("failed_precondition", message);
    }
    const holder = this.#doors.get(port)?.tunnel;
    if (holder !== undefined && holder.name !== name) {
      throw new WasimoffError("already_exists", `port ${port} belongs to another tunnel: ask for another`);
    }
  }

  /**
   * Listens for the tunnel until it ends; resolves with the port. Without a wish it is the same for each name while that
   * is free, and 0 when there is none.
   */
  async open(tunnel: RegisteredTunnel, wanted: number): Promise<number> {
    this.check(tunnel.name, wanted);
    const own = [...this.#doors.values()].find((door) => door.tunnel.name === tunnel.name);
    if (own !== undefined && (wanted === 0 || wanted === own.port)) return this.#lead(own, tunnel);
    if (own !== undefined) this.#close(own);
    if (wanted !== 0) return this.#lead(await this.#listen(wanted, tunnel), tunnel);
    for (const port of this.#candidates(tunnel.name)) {
      const door = await this.#listen(port, tunnel).catch(() => null); // another program's: the next one will do
      if (door !== null) return this.#lead(door, tunnel);
    }
    return 0;
  }

  /** Closes all ports and resets who came through them. */
  close(): void {
    this.#closed.abort(new WasimoffError("unavailable", "broker is shutting down"));
    for (const door of this.#doors.values()) this.#close(door);
    for (const socket of this.#sockets) socket.destroy();
  }

  #lead(door: Door, tunnel: RegisteredTunnel): number {
    door.tunnel = tunnel;
    // A session that takes over asks for the port in the turn in which the old tunnel ends: visitors notice nothing.
    const leave = () =>
      void setTimeout(() => {
        if (door.tunnel === tunnel) this.#close(door);
      }, 0);
    if (tunnel.signal.aborted) leave();
    else tunnel.signal.addEventListener("abort", leave, { once: true });
    return door.port;
  }

  async #listen(port: number, tunnel: RegisteredTunnel): Promise<Door> {
    const server = createServer({ ...TCP_OPTIONS }, (socket) => this.#onVisitor(socket, door));
    const door: Door = { port, server, tunnel };
    this.#doors.set(port, door); // before the wait, so that nobody else is given the port
    try {
      await listenOn(server, { hostname: this.#options.hostname, port });
    } catch (error) {
      this.#doors.delete(port);
      throw error;
    }
    return door;
  }

  #close(door: Door): void {
    this.#doors.delete(door.port);
    door.server.close();
  }

  /** Free ports, from one that depends on the name only. */
  *#candidates(name: string): Generator<number> {
    const { range } = this.#options;
    if (range === null) return;
    const size = range.last - range.first + 1;
    const start = hash(name) % size;
    for (let i = 0; i < size; i++) {
      const port = range.first + (start + i) % size;
      if (!this.#doors.has(port)) yield port;
    }
  }

  async #onVisitor(socket: Socket, door: Door): Promise<void> {
    const { tunnel } = door;
    const visitor = { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    const duplex = tcpDuplex(socket);
    const cancel = (error: unknown) => {
      const cause = WasimoffError.from(error);
      this.#options.logger.debug("visitor was refused", { tunnel: tunnel.name, reason: cause.message });
      duplex.writable.abort(cause);
    };
    if (!tunnel.allows(visitor.address)) {
      return cancel(new WasimoffError("permission_denied", "address is not let in"));
    }
    try {
      const { duplex: stream, reached } = await tunnel.begin(visitor, this.#closed.signal);
      reached.catch(cancel);
      await joinDuplexes(duplex, stream, this.#closed.signal);
    } catch (error) {
      cancel(error);
    }
  }
}

/** FNV-1a: the same number for the same name, also after a restart. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return value;
}
