/** Bytes from one part of the program to another, with a bound for what waits between. */

import type { ByteDuplex, ByteSink, ByteSource } from "./byte_stream.ts";
import type { WasimoffError } from "./errors.ts";

/** Bytes that may wait before the writer waits. */
export const PIPE_BYTES = 64 * 1024;

/** Both ends in one; see ByteSource and ByteSink. */
export class BytePipe implements ByteSource, ByteSink {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;
  #failure: WasimoffError | null = null;
  #reader: PromiseWithResolvers<Uint8Array | null> | null = null;
  #room: PromiseWithResolvers<void> | null = null;

  read(): Promise<Uint8Array | null> {
    if (this.#reader !== null) throw new TypeError("read while another read waits");
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#bytes -= chunk.length;
      if (this.#bytes < PIPE_BYTES) this.#makeRoom();
      return Promise.resolve(chunk);
    }
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve(null);
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  write(chunk: Uint8Array): Promise<void> | void {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#ended) throw new TypeError("write after end");
    if (chunk.length === 0) return;
    if (this.#reader !== null) return this.#answer(chunk);
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < PIPE_BYTES) return;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  end(): void {
    if (this.#failure !== null) return;
    this.#ended = true;
    if (this.#reader !== null) this.#answer(null);
  }

  abort(reason: WasimoffError): void {
    if (!this.#ended) this.#fail(reason);
  }

  cancel(reason: WasimoffError): void {
    if (!this.#ended || this.#chunks.length > 0) this.#fail(reason);
  }

  #answer(chunk: Uint8Array | null): void {
    const reader = this.#reader;
    this.#reader = null;
    reader!.resolve(chunk);
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = null;
  }

  #fail(reason: WasimoffError): void {
    this.#failure ??= reason;
    this.#chunks.length = 0;
    this.#bytes = 0;
    this.#reader?.reject(this.#failure);
    this.#reader = null;
    this.#room?.reject(this.#failure);
    this.#room = null;
  }
}

/** The two ends of one connection. */
export function pipePair(): [ByteDuplex, ByteDuplex] {
  const [there, back] = [new BytePipe(), new BytePipe()];
  return [{ readable: back, writable: there }, { readable: there, writable: back }];
}
