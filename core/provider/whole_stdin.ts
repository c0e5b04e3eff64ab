/** A guest's standard input where guests cannot be suspended: complete before the guest starts. */

import type { GuestInput } from "../wasi/program.ts";

/** All of it waits in memory. */
export const MAX_WHOLE_STDIN_BYTES = 16 * 1024 * 1024;

const END = new Uint8Array();

/** Grants at once what arrives, as long as it may be kept. */
export class WholeStdin implements GuestInput {
  readonly #grant: (bytes: number) => void;
  readonly #chunks: Uint8Array[] = [];
  readonly #complete = Promise.withResolvers<string | null>();
  #bytes = 0;

  constructor({ ended, grant }: { ended: boolean; grant: (bytes: number) => void }) {
    this.#grant = grant;
    if (ended) this.end();
  }

  push(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_WHOLE_STDIN_BYTES) {
      this.#complete.resolve(
        `standard input of more than ${MAX_WHOLE_STDIN_BYTES} bytes needs a browser that can suspend programs`,
      );
      return;
    }
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#grant(chunk.length);
  }

  end(): void {
    this.#complete.resolve(null);
  }

  /** Resolves with null when all of it is there, else with why it cannot be. */
  complete(): Promise<string | null> {
    return this.#complete.promise;
  }

  read(max: number): Uint8Array {
    const first = this.#chunks[0];
    if (first === undefined) return END;
    const bytes = first.subarray(0, max);
    if (bytes.length === first.length) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(bytes.length);
    return bytes;
  }
}
