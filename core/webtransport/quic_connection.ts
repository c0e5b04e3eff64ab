/** What this library needs of QUIC: a part of `Deno.QuicConn`, whose streams are handed to users as they are. */

/**
 * Bytes from the peer, as a byte stream. `id` says which stream it is, and throws once the stream has ended:
 * that is how ended streams are told from open ones.
 */
export interface QuicReceiveStream extends ReadableStream<Uint8Array<ArrayBuffer>> {
  readonly id: bigint;
}

/** Bytes to the peer. As for `QuicReceiveStream`, `id` throws once the stream has ended. */
export interface QuicSendStream extends WritableStream<Uint8Array<ArrayBufferLike>> {
  readonly id: bigint;
  /** Streams with a higher number are sent first. */
  sendOrder: number;
}

export interface QuicBidirectionalStream {
  readonly readable: QuicReceiveStream;
  readonly writable: QuicSendStream;
}

export interface QuicStreamOptions {
  readonly sendOrder?: number;
  /** Waits when the peer allows no further stream now; otherwise that rejects. */
  readonly waitUntilAvailable?: boolean;
}

export interface QuicCloseInfo {
  readonly closeCode: number;
  readonly reason: string;
}

/** One connection whose handshake is complete and has agreed on the protocol "h3". */
export interface QuicConnection {
  readonly incomingBidirectionalStreams: ReadableStream<QuicBidirectionalStream>;
  readonly incomingUnidirectionalStreams: ReadableStream<QuicReceiveStream>;
  createBidirectionalStream(options?: QuicStreamOptions): Promise<QuicBidirectionalStream>;
  createUnidirectionalStream(options?: QuicStreamOptions): Promise<QuicSendStream>;
  /** Rejects when the connection has ended. */
  readDatagram(): Promise<Uint8Array<ArrayBuffer>>;
  sendDatagram(data: Uint8Array): Promise<void>;
  /** Changes with what the path carries. */
  readonly maxDatagramSize: number;
  readonly remoteAddr: { readonly hostname: string; readonly port: number };
  /** Ends everything at once; what has been written but not sent is lost. */
  close(info: QuicCloseInfo): void;
  /** What the peer said when it closed; rejects when the connection was lost. */
  readonly closed: Promise<QuicCloseInfo>;
}

/**
 * The code with which the peer has reset a stream or refused to read it, from what a read or write of that
 * stream was rejected with; undefined for other errors. Where the code is depends on the implementation of QUIC.
 */
export type StreamErrorCode = (error: unknown) => number | undefined;

/** Whether nothing more can come or go in this direction. */
export function hasEnded(stream: { readonly id: bigint }): boolean {
  try {
    return stream.id === undefined;
  } catch {
    return true;
  }
}
