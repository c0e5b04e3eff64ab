/** A TCP socket as two streams of bytes, each of which ends by itself. */

import { connect, type Socket } from "node:net";
import type { ByteDuplex, ByteSink, ByteSource } from "../byte_stream.ts";
import { WasimoffError } from "../errors.ts";
import { freeBuffer } from "../free_buffer.ts";

/** Bytes read ahead of a slow reader before the socket is paused. */
export const READ_AHEAD_BYTES = 256 * 1024;
/** Bytes that may wait in the socket before a writer waits. */
export const WRITE_AHEAD_BYTES = 256 * 1024;
/** To a service on the same network; the other side waits somewhat longer. */
const CONNECT_TIMEOUT_MS = 8_000;

/** What sockets must be made with: without it a half-close ends both directions. */
export const TCP_OPTIONS = { allowHalfOpen: true, noDelay: true } as const;

/** Connects to a service; rejects with `unavailable` when nobody listens, or the signal's reason. */
export async function dialTcp(hostname: string, port: number, signal: AbortSignal): Promise<ByteDuplex> {
  signal.throwIfAborted();
  const socket = connect({ host: hostname, port, ...TCP_OPTIONS });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => reject(signal.reason);
  const timer = setTimeout(() => {
    reject(new WasimoffError("unavailable", `cannot reach "${hostname}:${port}": no answer`));
  }, CONNECT_TIMEOUT_MS);
  socket.once("connect", resolve);
  socket.once("error", (cause: NodeJS.ErrnoException) => {
    const reason = cause.code === "ECONNREFUSED" ? "nothing listens there" : cause.message;
    reject(new WasimoffError("unavailable", `cannot reach "${hostname}:${port}": ${reason}`, { cause }));
  });
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await promise;
  } catch (error) {
    socket.on("error", () => {}); // of an attempt that is given up
    socket.destroy();
    throw WasimoffError.from(error, "canceled");
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
  return tcpDuplex(socket);
}

/**
 * Takes over an open socket that was made with TCP_OPTIONS. `end` is a half-close, `abort` a reset, also of what was
 * written before; a reset by the peer fails both directions. A reader that cancels leaves the writing alone.
 */
export function tcpDuplex(socket: Socket): ByteDuplex {
  socket.setNoDelay(true); // for accepted sockets, where servers of Deno 2.6 do not know the option
  const writable = new SocketSink(socket);
  const readable = new SocketSource(socket, writable);
  socket.on("error", (error: NodeJS.ErrnoException) => {
    const cause = error.code === "ECONNRESET" || error.code === "EPIPE"
      ? new WasimoffError("aborted", "connection was reset", { cause: error })
      : new WasimoffError("unavailable", `connection failed: ${error.message}`, { cause: error });
    readable.fail(cause);
    writable.fail(cause);
  });
  socket.on("close", () => {
    const cause = new WasimoffError("aborted", "connection was closed");
    readable.fail(cause);
    writable.fail(cause);
  });
  return { readable, writable };
}

class SocketSource implements ByteSource {
  readonly #socket: Socket;
  readonly #sink: SocketSink;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #state: "open" | "ended" | "failed" = "open";
  #failure: WasimoffError | null = null;
  #reader: PromiseWithResolvers<Uint8Array | null> | null = null;

  constructor(socket: Socket, sink: SocketSink) {
    this.#socket = socket;
    this.#sink = sink;
    socket.on("data", (chunk) => this.#onData(chunk as Uint8Array));
    socket.on("end", () => this.#finish("ended", null));
  }

  read(): Promise<Uint8Array | null> {
    if (this.#reader !== null) throw new TypeError("read while another read waits");
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#bytes -= chunk.length;
      if (this.#bytes < READ_AHEAD_BYTES / 2 && this.#socket.isPaused()) this.#socket.resume();
      return Promise.resolve(chunk);
    }
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#state === "ended") return Promise.resolve(null);
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  /** Each chunk has a buffer of its own, which nobody else knows. */
  release({ buffer, length }: Uint8Array): void {
    if (length === buffer.byteLength) freeBuffer(buffer);
  }

  cancel(reason: WasimoffError): void {
    if (this.#state === "open") this.#socket.pause();
    this.#finish("failed", reason);
    if (this.#chunks.length > 0) this.#failure ??= reason;
    this.#chunks.length = 0;
    this.#sink.closeWhenDone();
  }

  fail(cause: WasimoffError): void {
    this.#finish("failed", cause);
  }

  #onData(chunk: Uint8Array): void {
    if (this.#state !== "open") return;
    if (this.#reader !== null) {
      const reader = this.#reader;
      this.#reader = null;
      return reader.resolve(chunk);
    }
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes >= READ_AHEAD_BYTES) this.#socket.pause();
  }

  #finish(state: "ended" | "failed", cause: WasimoffError | null): void {
    if (this.#state !== "open") return;
    this.#state = state;
    this.#failure = cause;
    if (cause === null) this.#reader?.resolve(null);
    else this.#reader?.reject(cause);
    this.#reader = null;
  }
}

class SocketSink implements ByteSink {
  readonly #socket: Socket;
  #ended = false;
  #failure: WasimoffError | null = null;
  #room: PromiseWithResolvers<void> | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("drain", () => {
      this.#room?.resolve();
      this.#room = null;
    });
  }

  write(chunk: Uint8Array, done?: () => void): Promise<void> | void {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#ended) throw new TypeError("write after end");
    const written = done === undefined ? undefined : (error?: Error | null) => error ?? done();
    if (this.#socket.write(chunk, written) || this.#socket.writableLength < WRITE_AHEAD_BYTES) return;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  end(): void {
    if (this.#ended || this.#failure !== null) return;
    this.#ended = true;
    this.#socket.end();
  }

  abort(reason: WasimoffError): void {
    if (this.#ended || this.#failure !== null) return;
    this.fail(reason);
    this.#socket.resetAndDestroy();
  }

  /** The socket has failed. */
  fail(cause: WasimoffError): void {
    this.#failure ??= cause;
    this.#room?.promise.catch(() => {}); // a writer that no longer waits must not stop the process
    this.#room?.reject(cause);
    this.#room = null;
  }

  /** Nobody reads any more: what is still to be written is, and then the socket is closed. */
  closeWhenDone(): void {
    if (this.#socket.destroyed) return;
    if (this.#socket.writableFinished) this.#socket.destroy();
    else this.#socket.once("finish", () => this.#socket.destroy());
  }
}
