/** Says how far long work is: a line that changes on a terminal, a new line now and then elsewhere. */

/** A terminal is redrawn at most ten times a second. */
const REDRAW_INTERVAL_MS = 100;
/** A log gets a line at most this often. */
const LINE_INTERVAL_MS = 10_000;

/** ANSI: back to the first column, erase the line. */
const ERASE = "\r\x1b[K";

export interface ProgressOptions {
  readonly isTerminal: boolean;
  readonly write: (text: string) => void;
  /** Milliseconds on any clock that does not go back. */
  readonly now: () => number;
}

export class Progress {
  readonly #options: ProgressOptions;
  #shownAt: number;
  #drawn = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    // Elsewhere than on a terminal, short work says nothing at all.
    this.#shownAt = options.isTerminal ? -Infinity : options.now();
  }

  /** Shows the text if it is time again; `text` is made only then. */
  update(text: () => string): void {
    const { isTerminal, write, now } = this.#options;
    const interval = isTerminal ? REDRAW_INTERVAL_MS : LINE_INTERVAL_MS;
    if (now() - this.#shownAt < interval) return;
    this.#shownAt = now();
    this.#drawn = isTerminal;
    write(isTerminal ? `${ERASE}wasimoff: ${text()}` : `wasimoff: ${text()}\n`);
  }

  /** Clears the line, so that other output starts on an empty one. */
  close(): void {
    if (this.#drawn) this.#options.write(ERASE);
    this.#drawn = false;
  }
}
