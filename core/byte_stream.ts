/** Bytes on their way, with back-pressure: what the rooms hand each other instead of buffers. */

import type { WasimoffError } from "./errors.ts";

/** Bytes to be read in order. One reader at a time. */
export interface ByteSource {
  /**
   * The next bytes (at least one), or null at the proper end. Rejects with the cause when the source was
   * aborted: an end that was not announced is never taken for the proper one. The bytes stay valid.
   */
  read(): Promise<Uint8Array | null>;
  /**
   * Says that nobody uses these bytes of a `read` any more: their memory may be gone at once. At most once for each chunk,
   * whole as it was read. Nobody must: what is not released is left to the garbage collector, at more cost.
   */
  release?(chunk: Uint8Array): void;
  /** Says that nobody will read on; the writer is told. Does nothing after the end. */
  cancel(reason: WasimoffError): void;
}

/** Bytes to be written in order. One writer at a time. */
export interface ByteSink {
  /**
   * Takes the bytes and resolves when more may follow; rejects with the cause when the reader has cancelled.
   * The sink may keep a view: the caller must not change the bytes afterwards. `done` is called when it does not need
   * them any more, if it can tell.
   */
  write(chunk: Uint8Array, done?: () => void): Promise<void> | void;
  /** Announces the proper end. */
  end(): void;
  /** Ends without a proper end; the reader gets the reason. Does nothing after `end`. */
  abort(reason: WasimoffError): void;
}

/** A connection's two directions, each of which ends by itself. */
export interface ByteDuplex {
  readonly readable: ByteSource;
  readonly writable: ByteSink;
}
