/** An output of a task to which a second attempt must say again what the first has said. */

import type { ByteSink } from "../byte_stream.ts";
import { WasimoffError } from "../errors.ts";
import type { StartHash, StreamingHash } from "../storage/file_store.ts";

/**
 * Passes an attempt's output on as it comes. When the attempt is lost, its successor's output is compared with
 * what was passed on already (by length and hash) and goes on behind it, so that the client sees one run. Output
 * that differs is `data_loss`: what was delivered cannot be taken back.
 */
export class RepeatableSink {
  readonly #sink: ByteSink;
  readonly #startHash: StartHash;
  #passedBytes = 0;
  /** Over what the current attempt has said; null before its first byte. */
  #said: StreamingHash | null = null;
  /** What the current attempt must say first; null for the first attempt. */
  #repetition: Repetition | null = null;
  #attempt = 0;
  #complete = false;

  constructor(sink: ByteSink, startHash: StartHash) {
    this.#sink = sink;
    this.#startHash = startHash;
  }

  /** Where the next attempt writes. */
  attempt(): ByteSink {
    const attempt = ++this.#attempt;
    this.#complete = false;
    const repetition = this.#nextRepetition();
    const check = () => {
      if (attempt !== this.#attempt) throw new WasimoffError("aborted", "attempt is over");
    };
    return {
      write: (chunk) => {
        check();
        const fresh = repetition === null ? chunk : repetition.skip(chunk);
        return fresh.length === 0 ? undefined : this.#pass(fresh);
      },
      end: () => {
        check();
        repetition?.mustBeOver();
        this.#complete = true;
      },
      abort: () => {},
    };
  }

  /** The task has ended. Ends the client's sink if the last attempt's output was complete, else aborts it. */
  close(cause: () => WasimoffError): void {
    this.#attempt++;
    if (this.#complete) this.#sink.end();
    else this.#sink.abort(cause());
  }

  #pass(bytes: Uint8Array): Promise<void> | void {
    this.#said ??= this.#startHash();
    this.#said.update(bytes);
    this.#passedBytes += bytes.length;
    return this.#sink.write(bytes);
  }

  /** An attempt that was lost while it repeated has passed nothing on: its successor must repeat the same. */
  #nextRepetition(): Repetition | null {
    if (this.#passedBytes === 0) return null;
    const digest = this.#repetition?.unfinished ?? this.#said!.digest();
    this.#said = this.#startHash();
    this.#repetition = new Repetition({
      digest,
      bytes: this.#passedBytes,
      check: this.#startHash(),
      said: this.#said,
    });
    return this.#repetition;
  }
}

interface Expectation {
  readonly digest: string;
  readonly bytes: number;
  readonly check: StreamingHash;
  readonly said: StreamingHash;
}

/** The part of an attempt's output that was delivered before. */
class Repetition {
  readonly #expected: Expectation;
  #left: number;

  constructor(expected: Expectation) {
    this.#expected = expected;
    this.#left = expected.bytes;
  }

  /** The digest that is still to be reached; null when it was. */
  get unfinished(): string | null {
    return this.#left > 0 ? this.#expected.digest : null;
  }

  /** What of the chunk is new. Throws `data_loss` when the repeated part is not what it was. */
  skip(chunk: Uint8Array): Uint8Array {
    if (this.#left === 0) return chunk;
    const repeated = chunk.subarray(0, this.#left);
    this.#expected.check.update(repeated);
    this.#expected.said.update(repeated);
    this.#left -= repeated.length;
    if (this.#left === 0 && this.#expected.check.digest() !== this.#expected.digest) throw differs();
    return chunk.subarray(repeated.length);
  }

  mustBeOver(): void {
    if (this.#left > 0) throw differs();
  }
}

function differs(): WasimoffError {
  return new WasimoffError("data_loss", "output of a further attempt differs from what was delivered before");
}
