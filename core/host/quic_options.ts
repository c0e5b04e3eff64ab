/** How our QUIC connections behave, on either side. */

/** The protocol in TLS by which peers agree on HTTP/3. */
export const ALPN_HTTP3 = "h3";

export const QUIC_OPTIONS = {
  /** In ms. 0 would flood the peer with packets. Often enough for NATs, which forget after 30 s. */
  keepAliveInterval: 10_000,
  /** In ms: a peer is lost when three packets in a row stay away. */
  maxIdleTimeout: 30_000,
  // Pages get an error at once when they open more. Each that may be costs memory on both sides though nobody opens
  // it (some 50 bytes), and what is buffered of each that is open is at most 1.25 MB.
  maxConcurrentBidirectionalStreams: 256,
  maxConcurrentUnidirectionalStreams: 128,
} as const;
