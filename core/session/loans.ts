/** Bodies of frames that a connection was given, until nobody needs them. */

interface Loan {
  readonly number: number;
  readonly end: number;
  readonly done: () => void;
}

/** Of one connection, to which each of these frames was given once and which alone has had it. */
export class Loans {
  #open: Loan[] = [];

  /** A body up to `end` of all bytes that the connection was given, in the frame of this number; in their order. */
  add(number: number, end: number, done: () => void): void {
    this.#open.push({ number, end, done });
  }

  /**
   * Frames up to this number are acknowledged. A peer may say so of what it has not got: only what is among the bytes
   * that the connection has `written` is needed no longer, and nobody says anything of the rest.
   */
  acknowledged(received: number, written: number): void {
    if (this.#open.length === 0) return;
    const kept = this.#open.findIndex(({ number }) => number > received);
    for (const { end, done } of this.#open.splice(0, kept < 0 ? this.#open.length : kept)) {
      if (end <= written) done();
    }
  }

  /** The connection is over: another may be given the same. */
  clear(): void {
    this.#open = [];
  }
}
