/** Streams of the peer that wait until the user takes them. */

/** A bounded queue that is read as a stream of streams. */
export class StreamQueue<T> {
  readonly #limit: number;
  /** Until somebody asks for `readable`, which most sessions use in one direction at most. */
  #waiting: T[] = [];
  #readable: ReadableStream<T> | undefined;
  #controller: ReadableStreamDefaultController<T> | undefined;
  #end: { readonly cause: unknown } | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get readable(): ReadableStream<T> {
    return this.#readable ??= new ReadableStream<T>({
      start: (controller) => {
        for (const stream of this.#waiting) controller.enqueue(stream);
        this.#waiting = [];
        this.#controller = controller;
        if (this.#end !== undefined) this.#finish(this.#end.cause);
      },
      cancel: () => {
        this.#end = { cause: undefined };
      },
    }, { highWaterMark: this.#limit });
  }

  /** False when there is no room or nobody will read: the stream has to be refused. */
  push(stream: T): boolean {
    const room = this.#controller?.desiredSize ?? this.#limit - this.#waiting.length;
    if (this.#end !== undefined || room <= 0) return false;
    if (this.#controller === undefined) this.#waiting.push(stream);
    else this.#controller.enqueue(stream);
    return true;
  }

  /** Ends after what waits; with a cause it breaks at once. */
  end(cause?: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = { cause };
    this.#finish(cause);
  }

  #finish(cause: unknown): void {
    if (cause === undefined) this.#controller?.close();
    else this.#controller?.error(cause);
  }
}
