/** A stream of bytes with the shape of the platform's connections (`Deno.Conn`), for programs that expect one. */

import type { ByteDuplex } from "../byte_stream.ts";
import { WasimoffError } from "../errors.ts";

/** An end of a connection, as the platform names those of TCP. */
export interface ByteConnAddress {
  readonly transport: "tcp";
  readonly hostname: string;
  readonly port: number;
}

export interface ByteConnAddresses {
  readonly local: ByteConnAddress;
  readonly remote: ByteConnAddress;
}

export class ByteConn implements Disposable {
  readonly localAddr: ByteConnAddress;
  readonly remoteAddr: ByteConnAddress;
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<Uint8Array<ArrayBufferLike>>;
  readonly #duplex: ByteDuplex;
  /** Bytes that came with a read into a buffer that was too small for them. */
  #rest: Uint8Array | null = null;
  #closed = false;
  #writeClosed = false;

  constructor(duplex: ByteDuplex, { local, remote }: ByteConnAddresses) {
    this.#duplex = duplex;
    this.localAddr = local;
    this.remoteAddr = remote;
    this.readable = new ReadableStream({
      pull: async (controller) => {
        const chunk = await this.#next();
        if (chunk === null) controller.close();
        else controller.enqueue(chunk.slice());
      },
      cancel: () => this.#duplex.readable.cancel(leaving()),
    }, { highWaterMark: 0 });
    this.writable = new WritableStream({
      write: (chunk) => this.#duplex.writable.write(chunk.slice()),
      close: () => this.closeWrite(),
      abort: () => this.#duplex.writable.abort(leaving()),
    });
  }

  /** Reads into `buffer`; resolves with the number of bytes, or null at the end. Rejects when the connection breaks. */
  async read(buffer: Uint8Array): Promise<number | null> {
    if (buffer.length === 0) return 0;
    const chunk = await this.#next();
    if (chunk === null) return null;
    const taken = chunk.subarray(0, buffer.length);
    buffer.set(taken);
    if (taken.length < chunk.length) this.#rest = chunk.subarray(taken.length);
    return taken.length;
  }

  /** Writes all bytes, with back-pressure; resolves with their number. */
  async write(bytes: Uint8Array): Promise<number> {
    if (this.#closed || this.#writeClosed) throw leaving();
    await this.#duplex.writable.write(bytes.slice()); // the caller may use its buffer again
    return bytes.length;
  }

  /** Announces the end of what is written; where there is no half-close, this closes. */
  closeWrite(): Promise<void> {
    if (!this.#writeClosed) this.#duplex.writable.end();
    this.#writeClosed = true;
    return Promise.resolve();
  }

  /** Closes both directions; what was written is sent first. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.closeWrite();
    this.#duplex.readable.cancel(leaving());
  }

  /** There is nothing to count: the socket below keeps the process alive. */
  ref(): void {}

  unref(): void {}

  [Symbol.dispose](): void {
    this.close();
  }

  async #next(): Promise<Uint8Array | null> {
    const rest = this.#rest;
    this.#rest = null;
    return rest ?? await this.#duplex.readable.read();
  }
}

function leaving(): WasimoffError {
  return new WasimoffError("canceled", "connection was closed here");
}
