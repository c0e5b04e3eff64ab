/** Two WebTransport sessions joined in memory, whose streams overtake each other as a test likes. */

import type {
  TransportCloseInfo,
  TransportSession,
  TransportStream,
} from "../../core/transport/webtransport_shape.ts";

export interface TransportPairOptions {
  /** Which of so many streams with something under way goes on; the oldest first by default. */
  readonly pick?: (streams: number) => number;
  /** Whether this one is held back now: 0 and 1 are the directions of the first stream. */
  readonly hold?: (stream: number) => boolean;
  /** How many of so many bytes arrive together; all by default. */
  readonly cut?: (bytes: number) => number;
  /** Whether streams can be read into buffers of the reader; true by default. */
  readonly byob?: boolean;
  /** How many unidirectional streams each side may have open; any number by default. */
  readonly maxStreams?: number;
}

interface Way {
  readonly index: number;
  readonly chunks: { bytes: Uint8Array; taken: () => void }[];
  ending: boolean;
  deliver(bytes: Uint8Array): void;
  end(): void;
  fail(error: Error): void;
}

/** What one side sends the other receives, each stream in order, in later microtasks. */
export class TransportPair {
  readonly a: MemoryTransport;
  readonly b: MemoryTransport;
  readonly #options: TransportPairOptions;
  readonly #ways = new Set<Way>();
  #made = 0;
  #running = false;
  #over = false;
  stalled = false;
  /** Unidirectional streams that were opened so far. */
  opened = 0;

  constructor(options: TransportPairOptions = {}) {
    this.#options = options;
    this.a = new MemoryTransport(this);
    this.b = new MemoryTransport(this);
    this.a.peer = this.b;
    this.b.peer = this.a;
  }

  get maxStreams(): number {
    return this.#options.maxStreams ?? Infinity;
  }

  /** Breaks both without a word. */
  cut(): void {
    this.end(null);
  }

  /** Goes on with what was held back. */
  resume(): void {
    this.stalled = false;
    this.#run();
  }

  end(info: TransportCloseInfo | null): void {
    if (this.#over) return;
    this.#over = true;
    const error = new Error("connection was lost");
    for (const way of this.#ways) way.fail(error);
    this.#ways.clear();
    for (const side of [this.a, this.b]) side.finish(info, error);
  }

  /** A stream in one direction; `arrive` is called when the first of it comes. */
  way(arrive: () => void): TransportStream {
    let writing!: WritableStreamDefaultController;
    const { readable, reading } = this.#readable((reason) => {
      this.#ways.delete(way);
      writing.error(new Error(`peer has stopped: ${reason}`));
      for (const { taken } of way.chunks.splice(0)) taken();
    });
    let arrived = false;
    const begin = () => {
      if (!arrived) arrive();
      arrived = true;
    };
    const way: Way = {
      index: this.#made++,
      chunks: [],
      ending: false,
      deliver: (bytes) => {
        begin();
        reading.enqueue(bytes as Uint8Array<ArrayBuffer>);
      },
      end: () => {
        begin();
        this.#ways.delete(way);
        reading.close();
        (reading as ReadableByteStreamController).byobRequest?.respond(0); // a read that waits sees the end
      },
      fail: (error) => {
        writing.error(error);
        reading.error(error);
        for (const { taken } of way.chunks.splice(0)) taken();
      },
    };
    const end = () => {
      way.ending = true;
      this.#run();
    };
    this.#ways.add(way);
    const writable = new WritableStream<Uint8Array>({
      start: (controller) => void (writing = controller),
      write: (bytes) =>
        new Promise<void>((taken) => {
          if (this.#over) return taken();
          way.chunks.push({ bytes: bytes.slice(), taken });
          this.#run();
        }),
      close: end,
      abort: end, // as Deno has it: nobody can tell it from the proper end
    });
    return { readable, writable };
  }

  #readable(cancel: (reason: unknown) => void) {
    let reading!: ReadableByteStreamController | ReadableStreamDefaultController<Uint8Array>;
    const start = (controller: typeof reading) => void (reading = controller);
    const readable: ReadableStream<Uint8Array> = this.#options.byob === false
      ? new ReadableStream<Uint8Array>({ start, cancel })
      : new ReadableStream({ type: "bytes", start, cancel });
    return { readable, reading };
  }

  #run(): void {
    if (this.#running || this.stalled || this.#over) return;
    this.#running = true;
    queueMicrotask(() => {
      this.#running = false;
      if (this.stalled || this.#over) return;
      const ways = [...this.#ways].filter(({ index, chunks, ending }) =>
        (chunks.length > 0 || ending) && !this.#options.hold?.(index)
      );
      if (ways.length === 0) return;
      this.#step(ways[this.#options.pick?.(ways.length) ?? 0]!);
      this.#run();
    });
  }

  #step(way: Way): void {
    const chunk = way.chunks[0];
    if (chunk === undefined) return way.end();
    const size = this.#options.cut?.(chunk.bytes.length) ?? chunk.bytes.length;
    const bytes = chunk.bytes.slice(0, size);
    chunk.bytes = chunk.bytes.subarray(size);
    if (chunk.bytes.length === 0) way.chunks.shift()!.taken();
    way.deliver(bytes);
  }
}

/** One side. */
export class MemoryTransport implements TransportSession {
  peer!: MemoryTransport;
  readonly closed: Promise<TransportCloseInfo>;
  readonly incomingBidirectionalStreams: ReadableStream<TransportStream>;
  readonly incomingUnidirectionalStreams: ReadableStream<ReadableStream<Uint8Array>>;
  /** What `close` was called with first. */
  closedWith: TransportCloseInfo | undefined;
  readonly #pair: TransportPair;
  readonly #closed = Promise.withResolvers<TransportCloseInfo>();
  #bidirectional!: ReadableStreamDefaultController<TransportStream>;
  #unidirectional!: ReadableStreamDefaultController<ReadableStream<Uint8Array>>;
  #open = 0;

  constructor(pair: TransportPair) {
    this.#pair = pair;
    this.closed = this.#closed.promise;
    this.closed.catch(() => {}); // tests cut on purpose
    this.incomingBidirectionalStreams = new ReadableStream({
      start: (controller) => void (this.#bidirectional = controller),
    });
    this.incomingUnidirectionalStreams = new ReadableStream({
      start: (controller) => void (this.#unidirectional = controller),
    });
  }

  createBidirectionalStream(): Promise<TransportStream> {
    const there = this.#pair.way(() => {});
    const back = this.#pair.way(() => {});
    this.peer.#bidirectional.enqueue({ readable: there.readable, writable: back.writable });
    return Promise.resolve({ readable: back.readable, writable: there.writable });
  }

  createUnidirectionalStream(): Promise<WritableStream<Uint8Array>> {
    if (this.#open >= this.#pair.maxStreams) return Promise.reject(new Error("no stream is available"));
    this.#open++;
    this.#pair.opened++;
    const { readable, writable } = this.#pair.way(() => this.peer.#unidirectional.enqueue(readable));
    return Promise.resolve(writable);
  }

  close(info: TransportCloseInfo = {}): void {
    this.closedWith ??= info;
    queueMicrotask(() => this.#pair.end(info));
  }

  finish(info: TransportCloseInfo | null, error: Error): void {
    if (info === null) {
      this.#closed.reject(error);
      this.#bidirectional.error(error);
      this.#unidirectional.error(error);
    } else {
      this.#closed.resolve(info);
      this.#bidirectional.close();
      this.#unidirectional.close();
    }
  }
}
