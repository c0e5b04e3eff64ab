/** Lets the system take many small writes at once. */

/** The part of a node stream that holds writes back. */
export interface Corkable {
  cork(): void;
  uncork(): void;
}

/**
 * The first write of a turn of the event loop goes out at once, so that a lone message never waits; those that
 * follow in the same turn go out together at its end. A write costs a wake-up of the peer, which is most of the
 * cost of a small message.
 */
export class WriteBatch {
  readonly #stream: Corkable;
  #state: "idle" | "written" | "corked" = "idle";

  constructor(stream: Corkable) {
    this.#stream = stream;
  }

  /** To be called before each write. */
  begin(): void {
    if (this.#state === "idle") {
      this.#state = "written";
      setImmediate(this.#end);
    } else if (this.#state === "written") {
      this.#state = "corked";
      this.#stream.cork();
    }
  }

  readonly #end = (): void => {
    if (this.#state === "corked") this.#stream.uncork();
    this.#state = "idle";
  };
}
