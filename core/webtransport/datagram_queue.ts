/** Datagrams that wait for their reader: few, and never an old one instead of a new one. */

/** Hands datagrams to one stream; when it is full, the oldest makes room. */
export class DatagramQueue {
  readonly #limit: number;
  #readable: ReadableStream<Uint8Array> | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #waiting: Uint8Array[] = [];
  #head = 0;
  #dropped = 0;
  #wanted: (() => void) | null = null;
  #end: { readonly cause: unknown } | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Each chunk is one datagram. */
  get readable(): ReadableStream<Uint8Array> {
    return this.#readable ??= new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
        if (this.#end !== undefined) this.#finish(this.#end.cause);
      },
      pull: () => this.#deliver(),
      cancel: () => this.#stop({ cause: undefined }),
    }, { highWaterMark: 0 });
  }

  /** How many were thrown away because nobody read them in time. */
  get dropped(): number {
    return this.#dropped;
  }

  push(datagram: Uint8Array): void {
    if (this.#end !== undefined) return;
    this.#waiting.push(datagram);
    if (this.#waiting.length - this.#head > this.#limit) {
      this.#take();
      this.#dropped++;
    }
    this.#wanted?.();
  }

  /** Ends the stream, or breaks it with a cause; what waits is lost. */
  end(cause?: unknown): void {
    if (this.#end !== undefined) return;
    this.#stop({ cause });
    this.#finish(cause);
  }

  /** Gives the reader, who waits, the oldest one as soon as there is one. */
  #deliver(): Promise<void> | void {
    const datagram = this.#take();
    if (datagram !== undefined) return this.#controller?.enqueue(datagram);
    return new Promise((resolve) => {
      this.#wanted = () => {
        this.#wanted = null;
        const next = this.#take();
        if (next !== undefined) this.#controller?.enqueue(next);
        resolve();
      };
    });
  }

  #take(): Uint8Array | undefined {
    const datagram = this.#waiting[this.#head];
    if (datagram === undefined) return undefined;
    this.#head++;
    // Moves what waits only now and then, so that taking one costs the same however many wait.
    if (this.#head * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return datagram;
  }

  #finish(cause: unknown): void {
    if (cause === undefined) this.#controller?.close();
    else this.#controller?.error(cause);
  }

  #stop(end: { readonly cause: unknown }): void {
    this.#end = end;
    this.#waiting = [];
    this.#head = 0;
    this.#wanted?.();
  }
}
