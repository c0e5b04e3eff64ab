/** How our QUIC connections behave, on either side. */

/** The protocol in TLS by which peers agree on HTTP/3. */
export const ALPN_HTTP3 = "h3";

export const QUIC_OPTIONS = {
  /** In ms. 0 would flood the peer with packets. Often enough for NATs, which forget after 30 s. */
  keepAliveInterval: 10_000,
  /** In ms: a peer is lost when three packets in a row stay away. */
  maxIdleTimeout: 30_000,
  // Pages get an error at once when they open more. Each that may be costs every connection some 50 bytes, though
  // nobody opens it (the tables of QUIC double at 224 and 448), and each that is open buffers at most 1.25 MB.
  maxConcurrentBidirectionalStreams: 200,
  maxConcurrentUnidirectionalStreams: 200,
} as const;
