/** Datagrams that wait for their reader: few, and never an old one instead of a new one. */

/** Hands datagrams to one stream; when it is full, the oldest makes room. */
export class DatagramQueue {
  /** Each chunk is one datagram. */
  readonly readable: ReadableStream<Uint8Array>;
  readonly #limit: number;
  #waiting: Uint8Array[] = [];
  #head = 0;
  #dropped = 0;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #wanted: (() => void) | null = null;

  constructor(limit: number) {
    this.#limit = limit;
    this.readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#deliver(),
      cancel: () => this.#stop(),
    }, { highWaterMark: 0 });
  }

  /** How many were thrown away because nobody read them in time. */
  get dropped(): number {
    return this.#dropped;
  }

  push(datagram: Uint8Array): void {
    if (this.#controller === null) return;
    this.#waiting.push(datagram);
    if (this.#waiting.length - this.#head > this.#limit) {
      this.#take();
      this.#dropped++;
    }
    this.#wanted?.();
  }

  /** Ends the stream, or breaks it with a cause; what waits is lost. */
  end(cause?: unknown): void {
    const controller = this.#controller;
    this.#stop();
    if (cause === undefined) controller?.close();
    else controller?.error(cause);
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

  #stop(): void {
    this.#waiting = [];
    this.#head = 0;
    this.#controller = null;
    this.#wanted?.();
  }
}
