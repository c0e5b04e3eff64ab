/** A UDP relay on a free port of 127.0.0.1, which a test can make swallow everything. */

interface Flow {
  /** Towards the server, one for each client, so that answers find their way back. */
  readonly inner: Deno.DatagramConn;
  readonly done: Promise<void>;
}

export class UdpProxy implements AsyncDisposable {
  /** Where packets go; null to swallow them. */
  target: number | null;
  readonly #outer = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  readonly #flows = new Map<number, Flow>();
  readonly #done: Promise<void>;
  #swallows = false;

  /** Relays to `target`, a port of 127.0.0.1. */
  constructor(target: number | null = null) {
    this.target = target;
    this.#done = this.#run();
  }

  get port(): number {
    return (this.#outer.addr as Deno.NetAddr).port;
  }

  /** Clients, by their ports, that were heard so far. */
  get flows(): number {
    return this.#flows.size;
  }

  /** Swallows all packets, in both directions, as a firewall does; or lets them through again. */
  swallow(swallows = true): void {
    this.#swallows = swallows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#outer.close();
    await this.#done;
    for (const { inner, done } of this.#flows.values()) {
      inner.close();
      await done;
    }
  }

  async #run(): Promise<void> {
    for await (const [packet, from] of this.#outer) {
      const { port } = from as Deno.NetAddr;
      const flow = this.#flows.get(port) ?? this.#open(port);
      if (!this.#swallows && this.target !== null) await send(flow.inner, packet, this.target);
    }
  }

  #open(port: number): Flow {
    const inner = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    const back = async () => {
      for await (const [packet] of inner) if (!this.#swallows) await send(this.#outer, packet, port);
    };
    const flow = { inner, done: back() };
    this.#flows.set(port, flow);
    return flow;
  }
}

/** Packets may be lost, also because one of the two is closed already. */
async function send(socket: Deno.DatagramConn, packet: Uint8Array, port: number): Promise<void> {
  await socket.send(packet, { transport: "udp", hostname: "127.0.0.1", port }).catch(() => {});
}
