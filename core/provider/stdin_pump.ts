/** Sends a guest's stdin to its slot, never more than the guest has room for. */

import type { ByteSource } from "../byte_stream.ts";
import { CHUNK_BYTES, encodeFrame, FRAME, STDIN_WINDOW_BYTES } from "./slot_protocol.ts";

export class StdinPump {
  readonly #source: ByteSource;
  readonly #write: (frame: Uint8Array) => Promise<void>;
  #credit = STDIN_WINDOW_BYTES;
  #stopped = false;
  /** Resolves when there is credit again; null while nobody waits for it. */
  #granted: PromiseWithResolvers<void> | null = null;

  constructor(source: ByteSource, write: (frame: Uint8Array) => Promise<void>) {
    this.#source = source;
    this.#write = write;
  }

  /** The guest has read that many bytes. */
  grant(bytes: number): void {
    this.#credit += bytes;
    this.#wake();
  }

  /** Nothing is sent afterwards; errors of the source no longer count. */
  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** Resolves at the end or after `stop`; rejects when the source was aborted. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      let chunk: Uint8Array | null;
      try {
        chunk = await this.#source.read();
      } catch (error) {
        if (this.#stopped) return; // cancelled by us, with the end of the task
        throw error;
      }
      if (this.#stopped) return;
      if (chunk === null) return await this.#write(encodeFrame(FRAME.STDIN_END));
      await this.#send(chunk);
    }
  }

  async #send(chunk: Uint8Array): Promise<void> {
    let at = 0;
    while (at < chunk.length && !this.#stopped) {
      if (this.#credit === 0) {
        this.#granted = Promise.withResolvers();
        await this.#granted.promise;
        continue;
      }
      const part = chunk.subarray(at, at + Math.min(CHUNK_BYTES, this.#credit));
      this.#credit -= part.length;
      at += part.length;
      await this.#write(encodeFrame(FRAME.STDIN, part));
    }
  }

  #wake(): void {
    this.#granted?.resolve();
    this.#granted = null;
  }
}
