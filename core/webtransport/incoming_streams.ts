/** Takes the streams that a peer opens and reads from each what it is for. */

import { ByteReader } from "./byte_reader.ts";
import { Deadlines } from "./deadlines.ts";
import { Http3Error } from "./http3_error.ts";
import type { WebTransportLimits } from "./limits.ts";
import { dropStream } from "./open_streams.ts";
import {
  hasEnded,
  type QuicBidirectionalStream,
  type QuicConnection,
  type QuicReceiveStream,
} from "./quic_connection.ts";
import { STREAM_TYPE, WEBTRANSPORT_STREAM } from "./stream_header.ts";

/** Who handles the streams. The `reader` has read no further than the first integer. */
export interface StreamOwner {
  /** A bidirectional stream that is none of a session: `firstType` is that of its first frame. */
  onRequest(stream: QuicBidirectionalStream, reader: ByteReader, firstType: bigint): void;
  onUnidirectional(type: bigint, stream: QuicReceiveStream, reader: ByteReader): void;
  /** The header has been read, exactly. */
  onSessionStream(sessionId: bigint, stream: QuicBidirectionalStream | QuicReceiveStream): void;
  /** What a stream did that ends the connection. */
  onError(error: unknown): void;
}

/** Looks at a bounded number of streams at the same time, each for a bounded time. */
export class IncomingStreams {
  readonly #owner: StreamOwner;
  readonly #limits: WebTransportLimits;
  readonly #deadlines: Deadlines<ByteReader>;
  #unread = 0;
  #room: PromiseWithResolvers<void> | null = null;

  constructor(owner: StreamOwner, limits: WebTransportLimits) {
    this.#owner = owner;
    this.#limits = limits;
    this.#deadlines = new Deadlines(limits.streamHeaderTimeoutMs, (reader) => reader.cancel());
  }

  /** Takes them until the connection ends. `onError` hears of it when somebody else takes them already. */
  start({ incomingBidirectionalStreams, incomingUnidirectionalStreams }: QuicConnection): void {
    const { onError } = this.#owner;
    this.#take(incomingBidirectionalStreams, (stream) => this.#sortBidirectional(stream)).catch(onError);
    this.#take(incomingUnidirectionalStreams, (stream) => this.#sortUnidirectional(stream)).catch(onError);
  }

  /** The connection has ended. */
  stop(): void {
    this.#deadlines.stop();
  }

  async #take<T>(streams: ReadableStream<T>, sort: (stream: T) => Promise<void>): Promise<void> {
    const reader = streams.getReader();
    try {
      for (;;) {
        while (this.#unread >= this.#limits.maxUnreadStreamHeaders) {
          this.#room ??= Promise.withResolvers<void>();
          await this.#room.promise;
        }
        const { done, value } = await reader.read();
        if (done) return;
        void this.#count(sort(value));
      }
    } catch {
      // The connection is lost: its `closed` says why.
    }
  }

  async #count(sorted: Promise<void>): Promise<void> {
    this.#unread++;
    try {
      await sorted;
    } catch (error) {
      this.#owner.onError(error);
    } finally {
      this.#unread--;
      this.#room?.resolve();
      this.#room = null;
    }
  }

  async #sortBidirectional(stream: QuicBidirectionalStream): Promise<void> {
    const header = await this.#readHeader(stream.readable, WEBTRANSPORT_STREAM);
    if (header === undefined) return dropStream(stream.writable);
    const { type, sessionId, reader } = header;
    if (sessionId !== undefined) this.#owner.onSessionStream(sessionId, stream);
    else if (hasEnded(stream.writable)) reader.cancel(); // nobody would hear the answer
    else this.#owner.onRequest(stream, reader, type);
  }

  async #sortUnidirectional(stream: QuicReceiveStream): Promise<void> {
    const header = await this.#readHeader(stream, STREAM_TYPE.WEBTRANSPORT);
    if (header === undefined) return;
    const { type, sessionId, reader } = header;
    if (sessionId !== undefined) this.#owner.onSessionStream(sessionId, stream);
    else this.#owner.onUnidirectional(type, stream, reader);
  }

  /** Undefined for a stream that ended, was reset or took too long before it said what it is for. */
  async #readHeader(
    stream: QuicReceiveStream,
    ofSessions: bigint,
  ): Promise<{ type: bigint; sessionId: bigint | undefined; reader: ByteReader } | undefined> {
    const reader = new ByteReader(stream);
    this.#deadlines.add(reader);
    try {
      const type = await reader.readVarint();
      if (type === undefined) return undefined;
      if (type !== ofSessions) return { type, sessionId: undefined, reader };
      const sessionId = await reader.readVarint();
      if (sessionId === undefined) return undefined;
      if (sessionId % 4n !== 0n) {
        throw new Http3Error("H3_ID_ERROR", `read stream: no session can have the id ${sessionId}`);
      }
      reader.release();
      return { type, sessionId, reader };
    } catch (error) {
      reader.cancel();
      if (error instanceof Http3Error && error.http3Name === "H3_ID_ERROR") throw error;
      return undefined;
    } finally {
      this.#deadlines.delete(reader);
    }
  }
}
