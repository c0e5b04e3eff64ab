/** Streams of the peer that wait until the user takes them. */

/** A bounded queue that is read as a stream of streams. */
export class StreamQueue<T> {
  readonly readable: ReadableStream<T>;
  #controller: ReadableStreamDefaultController<T> | null = null;

  constructor(limit: number) {
    this.readable = new ReadableStream<T>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => {
        this.#controller = null;
      },
    }, { highWaterMark: limit });
  }

  /** False when there is no room or nobody will read: the stream has to be refused. */
  push(stream: T): boolean {
    if ((this.#controller?.desiredSize ?? 0) <= 0) return false;
    this.#controller?.enqueue(stream);
    return true;
  }

  /** Ends after what waits; with a cause it breaks at once. */
  end(cause?: unknown): void {
    const controller = this.#controller;
    this.#controller = null;
    if (cause === undefined) controller?.close();
    else controller?.error(cause);
  }
}
