/** What a connection needs of a WebTransport session: a part of the W3C interface, ours and a browser's alike. */

export interface TransportCloseInfo {
  readonly closeCode?: number;
  readonly reason?: string;
}

export interface TransportStreamOptions {
  /** Streams with a higher number are sent first. */
  readonly sendOrder?: number;
  /** Waits when the peer allows no further stream now. */
  readonly waitUntilAvailable?: boolean;
}

export interface TransportStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** A session that is ready. */
export interface TransportSession {
  readonly closed: Promise<TransportCloseInfo>;
  readonly incomingBidirectionalStreams: ReadableStream<TransportStream>;
  readonly incomingUnidirectionalStreams: ReadableStream<ReadableStream<Uint8Array>>;
  createBidirectionalStream(options?: TransportStreamOptions): Promise<TransportStream>;
  createUnidirectionalStream(options?: TransportStreamOptions): Promise<WritableStream<Uint8Array>>;
  close(info?: TransportCloseInfo): void;
}
