/** One request of a client, from its header fields to its answer. */

import type { ByteReader } from "./byte_reader.ts";
import { ConnectStream } from "./connect_stream.ts";
import { FrameStream } from "./frame_stream.ts";
import { Http3Error } from "./http3_error.ts";
import { encodeFrame, FRAME_TYPE } from "./http3_frame.ts";
import type { WebTransportLimits } from "./limits.ts";
import { refuseStream } from "./open_streams.ts";
import { decodeFieldSection, encodeFieldSection } from "./qpack.ts";
import type { HeaderField } from "./qpack_static_table.ts";
import type { QuicBidirectionalStream } from "./quic_connection.ts";
import { type AnyRequest, readRequest } from "./request.ts";

export class RequestStream {
  readonly id: bigint;
  readonly #stream: QuicBidirectionalStream;
  readonly #frames: FrameStream;
  readonly #limits: WebTransportLimits;

  /** `reader` has read `firstType`, the type of the first frame. Throws an Http3Error when that may not come. */
  constructor(
    stream: QuicBidirectionalStream,
    reader: ByteReader,
    { firstType, limits }: { firstType: bigint; limits: WebTransportLimits },
  ) {
    this.id = stream.writable.id;
    this.#stream = stream;
    this.#limits = limits;
    this.#frames = new FrameStream(reader, "request", firstType);
  }

  /** Rejects with an Http3Error for bad requests and when it takes too long, and as the stream does. */
  async read(): Promise<AnyRequest> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#frames.cancel();
    }, this.#limits.requestTimeoutMs);
    try {
      const frame = await this.#frames.next();
      if (frame !== undefined) return readRequest(decodeFieldSection(frame.payload));
    } catch (error) {
      if (!isLate) throw error;
    } finally {
      clearTimeout(timer);
    }
    const detail = isLate ? "it did not come in time" : "the stream ended before its header fields";
    throw new Http3Error("H3_REQUEST_INCOMPLETE", `read request: ${detail}`);
  }

  /** Lets the session in. Rejects when the client has gone, and with an Http3Error when it takes no answer. */
  async accept(fields: readonly HeaderField[]): Promise<ConnectStream> {
    await this.#send(200, fields);
    return new ConnectStream(this.id, this.#stream, this.#frames);
  }

  /**
   * Sends a status and ends the stream. What the client sends on is read for a while, because browsers take a
   * cancelled request for a broken protocol. Never rejects.
   */
  async refuse(status: number): Promise<void> {
    const timer = setTimeout(() => this.#frames.cancel(), this.#limits.requestTimeoutMs);
    try {
      await this.#send(status, []);
      await this.#inTime(this.#stream.writable.close());
      for (let drained = 0; drained < this.#limits.maxDrainedBytes;) {
        const frame = await this.#frames.next();
        if (frame === undefined) return;
        drained += frame.payload.length;
      }
    } catch {
      // The client has gone, or what it sends on is no HTTP: it has got its answer.
    } finally {
      clearTimeout(timer);
      this.drop();
    }
  }

  /** Ends what is still open. */
  drop(): void {
    this.#frames.cancel();
    refuseStream(this.#stream);
  }

  async #send(status: number, fields: readonly HeaderField[]): Promise<void> {
    const section = encodeFieldSection([[":status", `${status}`], ...fields]);
    const writer = this.#stream.writable.getWriter();
    const written = writer.write(encodeFrame(FRAME_TYPE.HEADERS, section));
    writer.releaseLock();
    await this.#inTime(written);
  }

  /** A client may let nothing be sent. */
  async #inTime(sent: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Http3Error("H3_REQUEST_CANCELLED", "answer request: the client takes no answer")),
      this.#limits.requestTimeoutMs,
    );
    try {
      await Promise.race([sent, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
