/** How much a peer may use, and how long it may take; the sizes of single frames are in their files. */

export interface WebTransportLimits {
  /** Requests of one connection that wait for their answer; further ones get 429. */
  readonly maxUnansweredRequests: number;
  /** Sessions on one connection; further ones get 429. */
  readonly maxSessions: number;
  /**
   * A server gives it to the header fields of a request, to `authorize`, and to the answer on its way: then it says
   * 408, 504, or nothing. A client waits so long for all of that.
   */
  readonly requestTimeoutMs: number;
  /** From the handshake to the peer's SETTINGS, and from then to the first session. */
  readonly handshakeTimeoutMs: number;
  /** How long the first bytes of a stream, which say what it is for, may take. */
  readonly streamHeaderTimeoutMs: number;
  /** Streams of one connection whose first bytes are awaited; further ones are not looked at meanwhile. */
  readonly maxUnreadStreamHeaders: number;
  /** Streams and datagrams of one connection that are held because the request of their session is still on its way. */
  readonly maxEarlyStreams: number;
  /** How long they are held. */
  readonly earlyStreamTimeoutMs: number;
  /** Streams in each direction of one session that the user has not yet taken; further ones are refused. */
  readonly maxWaitingStreams: number;
  /** Datagrams of one session that the user has not yet read; the oldest makes room for the newest. */
  readonly maxWaitingDatagrams: number;
  /** How long the end of a session waits for the peer to agree. */
  readonly closeTimeoutMs: number;
  /** How long a server keeps a connection without sessions; browsers never close theirs. */
  readonly lingerMs: number;
  /** What is read and thrown away of a request that is not let in, in bytes. */
  readonly maxDrainedBytes: number;
}

/** Of clients: a server may open many streams at once, which may overtake its answer, and may take its time. */
export const CLIENT_LIMITS: WebTransportLimits = {
  maxUnansweredRequests: 16,
  maxSessions: 16,
  requestTimeoutMs: 30_000,
  handshakeTimeoutMs: 10_000,
  streamHeaderTimeoutMs: 10_000,
  maxUnreadStreamHeaders: 256,
  maxEarlyStreams: 256,
  earlyStreamTimeoutMs: 5_000,
  maxWaitingStreams: 1_024,
  maxWaitingDatagrams: 1_024,
  closeTimeoutMs: 1_000,
  lingerMs: 1_000,
  maxDrainedBytes: 65_536,
};

/**
 * Enough for pages and programs, little enough for a server on the open internet. Few streams come before their
 * session, for clients wait for the answer; QUIC buffers up to 1.25 MB of each, of peers whom nobody knows yet.
 */
export const SERVER_LIMITS: WebTransportLimits = {
  ...CLIENT_LIMITS,
  requestTimeoutMs: 10_000,
  maxEarlyStreams: 16,
};
