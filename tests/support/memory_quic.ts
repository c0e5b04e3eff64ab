/** Two ends of a QUIC connection in memory, which behave as those of Deno; in addition, streams can be reset. */

import type {
  QuicBidirectionalStream,
  QuicCloseInfo,
  QuicConnection,
  QuicReceiveStream,
  QuicSendStream,
} from "../../core/webtransport/quic_connection.ts";

/** What reads and writes of a stream are rejected with when the peer gives it up. */
export class MemoryReset extends Error {
  constructor(readonly http3Code: number) {
    super(`reset with ${http3Code}`);
  }
}

/** For `streamErrorCode`. */
export const memoryErrorCode = (error: unknown) => error instanceof MemoryReset ? error.http3Code : undefined;

export interface MemorySendStream extends QuicSendStream {
  /** As RESET_STREAM. */
  reset(http3Code: number): void;
}

/** One direction of a stream. */
class Direction {
  readonly readable: QuicReceiveStream;
  readonly writable: MemorySendStream;
  #ended = false;
  #source!: ReadableByteStreamController;
  #sink!: WritableStreamDefaultController;
  /** Rejected with what ends it. */
  readonly #failed = Promise.withResolvers<never>();

  constructor(id: bigint, isStalled: () => boolean) {
    this.#failed.promise.catch(() => {});
    const getId = () => {
      if (this.#ended) throw new Error("stream has ended");
      return id;
    };
    const source = new ReadableStream({
      type: "bytes",
      start: (controller) => {
        this.#source = controller;
      },
      cancel: () => this.#fail(new MemoryReset(0), null),
    });
    const sink = new WritableStream<Uint8Array>({
      start: (controller) => {
        this.#sink = controller;
      },
      write: (chunk) => {
        if (isStalled()) return this.#failed.promise;
        if (chunk.length > 0) this.#source.enqueue(chunk.slice());
      },
      close: () => this.#end(),
      abort: () => this.#end(),
    });
    const reset = (code: number) => this.#fail(null, new MemoryReset(code));
    this.readable = Object.defineProperty(source, "id", { get: getId }) as unknown as QuicReceiveStream;
    Object.defineProperties(sink, { id: { get: getId }, sendOrder: { value: 0, writable: true } });
    this.writable = Object.assign(sink, { reset }) as unknown as MemorySendStream;
  }

  lose(): void {
    const error = new Error("connection lost");
    this.#fail(error, error);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#source.close();
    this.#source.byobRequest?.respond(0);
  }

  #fail(forWriter: Error | null, forReader: Error | null): void {
    if (this.#ended) return;
    this.#ended = true;
    if (forWriter !== null) this.#sink.error(forWriter);
    if (forReader !== null) this.#source.error(forReader);
    this.#failed.reject(forWriter ?? forReader);
  }
}

/** One end; `peer` is the other one. */
export class MemoryQuic implements QuicConnection {
  readonly incomingBidirectionalStreams: ReadableStream<QuicBidirectionalStream>;
  readonly incomingUnidirectionalStreams: ReadableStream<QuicReceiveStream>;
  readonly remoteAddr = { hostname: "192.0.2.1", port: 4433 };
  readonly maxDatagramSize = 1200;
  readonly closed: Promise<QuicCloseInfo>;
  /** What our own side gave to `close`, once it has. */
  closedWith: QuicCloseInfo | null = null;
  /** Whether it lets the other side send nothing on streams, as the windows of QUIC allow. */
  isStalling = false;
  peer!: MemoryQuic;
  readonly #closed = Promise.withResolvers<QuicCloseInfo>();
  readonly #directions: Direction[] = [];
  readonly #datagrams: Uint8Array<ArrayBuffer>[] = [];
  #bidirectional!: ReadableStreamDefaultController<QuicBidirectionalStream>;
  #unidirectional!: ReadableStreamDefaultController<QuicReceiveStream>;
  #wanted: PromiseWithResolvers<Uint8Array<ArrayBuffer>> | null = null;
  #opened = { bidirectional: 0n, unidirectional: 0n };
  #isOpen = true;

  /** `lowBits`: 0 for a client, 1 for a server (RFC 9000 2.1). */
  private constructor(readonly lowBits: bigint) {
    this.closed = this.#closed.promise;
    this.closed.catch(() => {});
    this.incomingBidirectionalStreams = new ReadableStream({ start: (c) => void (this.#bidirectional = c) });
    this.incomingUnidirectionalStreams = new ReadableStream({
      start: (c) => void (this.#unidirectional = c),
    });
  }

  static pair(): { client: MemoryQuic; server: MemoryQuic } {
    const [client, server] = [new MemoryQuic(0n), new MemoryQuic(1n)];
    client.peer = server;
    server.peer = client;
    return { client, server };
  }

  createBidirectionalStream(): Promise<QuicBidirectionalStream & { writable: MemorySendStream }> {
    this.#check();
    const id = 4n * this.#opened.bidirectional++ + this.lowBits;
    const [there, back] = [this.#direction(id), this.peer.#direction(id)];
    this.peer.#bidirectional.enqueue({ readable: there.readable, writable: back.writable });
    return Promise.resolve({ readable: back.readable, writable: there.writable });
  }

  createUnidirectionalStream(): Promise<MemorySendStream> {
    this.#check();
    const direction = this.#direction(4n * this.#opened.unidirectional++ + 2n + this.lowBits);
    this.peer.#unidirectional.enqueue(direction.readable);
    return Promise.resolve(direction.writable);
  }

  sendDatagram(data: Uint8Array): Promise<void> {
    this.#check();
    const { peer } = this;
    if (peer.#wanted === null) peer.#datagrams.push(data.slice());
    else peer.#wanted.resolve(data.slice());
    peer.#wanted = null;
    return Promise.resolve();
  }

  readDatagram(): Promise<Uint8Array<ArrayBuffer>> {
    const datagram = this.#datagrams.shift();
    if (datagram !== undefined) return Promise.resolve(datagram);
    this.#check();
    this.#wanted = Promise.withResolvers();
    return this.#wanted.promise;
  }

  close(info: QuicCloseInfo): void {
    if (!this.#isOpen) return;
    this.closedWith = info;
    this.#end({ closeCode: 0, reason: "" });
    this.peer.#end(info);
  }

  /** As when the network is gone, noticed by both at the same time. */
  lose(): void {
    this.#end(null);
    this.peer.#end(null);
  }

  #end(info: QuicCloseInfo | null): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const direction of this.#directions) direction.lose();
    this.#bidirectional.close();
    this.#unidirectional.close();
    this.#wanted?.reject(new Error("closed"));
    if (info === null) this.#closed.reject(new Error("timed out"));
    else this.#closed.resolve(info);
  }

  /** One in which this side writes. */
  #direction(id: bigint): Direction {
    const direction = new Direction(id, () => this.peer.isStalling);
    this.#directions.push(direction);
    this.peer.#directions.push(direction);
    return direction;
  }

  #check(): void {
    if (!this.#isOpen) throw new Error("closed");
  }
}
