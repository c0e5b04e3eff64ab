/** Streams of a running guest that a test feeds and watches. */

import type { ByteSource } from "../../core/byte_stream.ts";
import { TextSink } from "./memory_cluster.ts";
import { within } from "./within.ts";

/** What a test writes is read, until it ends it. */
export class LiveStdin implements ByteSource {
  readonly #encoder = new TextEncoder();
  readonly #chunks: Uint8Array[] = [];
  #changed = Promise.withResolvers<void>();
  #ended = false;

  write(text: string): void {
    this.#chunks.push(this.#encoder.encode(text));
    this.#changed.resolve();
  }

  end(): void {
    this.#ended = true;
    this.#changed.resolve();
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) return chunk;
      if (this.#ended) return null;
      this.#changed = Promise.withResolvers();
      await this.#changed.promise;
    }
  }

  cancel(): void {
    this.#chunks.length = 0;
    this.end();
  }
}

/** Output whose growth a test can wait for. */
export class LiveOutput extends TextSink {
  #grown = Promise.withResolvers<void>();

  override write(chunk: Uint8Array): void {
    super.write(chunk);
    this.#grown.resolve();
    this.#grown = Promise.withResolvers();
  }

  /** Resolves when the text was written. */
  async has(text: string): Promise<void> {
    while (!this.text.includes(text)) await within(this.#grown.promise, `output after "${text}"`);
  }
}

/** Streams for a task: stdin as given, outputs to be looked at. */
export function liveIo<T extends ByteSource | undefined>(stdin: T) {
  return { ...(stdin && { stdin }), stdout: new LiveOutput(), stderr: new LiveOutput() };
}
