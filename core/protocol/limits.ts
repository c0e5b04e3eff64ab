/** Every limit and timeout of wasimoff_v2 in one place; core/protocol/README.md repeats them for other programs. */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Version in the hello; a peer with another one is refused. */
export const PROTOCOL_VERSION = 2;
/** WebSocket subprotocol that stands for this protocol. */
export const SUBPROTOCOL_V2 = "wasimoff_v2";

/** Bytes of a message, or of the data in one frame: small enough that nobody waits long behind it. */
export const MAX_PAYLOAD_BYTES = 64 * KIB;
/** A payload with the longest frame header (13 bytes), and a little for what headers may become. */
export const MAX_FRAME_BYTES = MAX_PAYLOAD_BYTES + 64;
/** Bytes that may wait in a socket before streams pause, so that a message never queues behind more. */
export const SOCKET_HIGH_WATER_BYTES = 128 * KIB;
/** Where paused streams go on. */
export const SOCKET_LOW_WATER_BYTES = 64 * KIB;

/** Size of the first frame of a peer that nobody knows yet. */
export const MAX_HELLO_BYTES = 16 * KIB;
/** Time until that frame must be there. */
export const HELLO_TIMEOUT_MS = 5_000;

/** A peer says at least this often that it lives. */
export const HEARTBEAT_INTERVAL_MS = 3_000;
/** After this silence a provider gets no new attempts. */
export const SUSPECT_AFTER_MS = 5_000;
/** After this silence the connection is dropped. */
export const SILENCE_TIMEOUT_MS = 10_000;
/** How long the session of a provider outlives its connection. */
export const PROVIDER_LEASE_MS = 10_000;
/** How long the session of an attached submit outlives its connection. */
export const CLIENT_LEASE_MS = 60_000;

/** What a stream may send before its reader has said anything. */
export const INITIAL_CREDIT_BYTES = 64 * KIB;
/** What a reader allows at most to be under way: 1 MiB fills 160 Mbit/s at 50 ms. */
export const MAX_CREDIT_BYTES = MIB;
/** Credit that all readers of a session may have given beyond the initial one. */
export const SESSION_CREDIT_BYTES = 64 * MIB;
/** Written but unsent bytes after which a stream makes its writer wait. */
export const STREAM_BUFFER_BYTES = 64 * KIB;
/** Live streams in one session. */
export const MAX_STREAMS = 16_384;

/** Unacknowledged bytes after which streams and new requests wait. */
export const REPLAY_WINDOW_BYTES = 4 * MIB;
/** Unacknowledged bytes after which the session ends, because the peer takes nothing any more. */
export const REPLAY_LIMIT_BYTES = 16 * MIB;
/** A receiver acknowledges at least after so many bytes. */
export const ACK_EVERY_BYTES = 128 * KIB;
/** A receiver acknowledges at least after so many frames. */
export const ACK_EVERY_FRAMES = 256;

/** Messages kept between the welcome and the first listener, which follow each other at once. */
export const MAX_EARLY_MESSAGES = 64;
/** Requests of a peer that may be unanswered at once. */
export const MAX_PENDING_REQUESTS = 16_384;
/** How long a requester waits for the answer to a request it has cancelled. */
export const CANCEL_GRACE_MS = 30_000;
/** Longest text of an error or reason on the wire, in bytes. */
export const MAX_REASON_BYTES = 1_024;
/** Longest wait of a timer of the platform; one of a longer wait would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;
/** Sessions of one broker, those that wait for their peer included. */
export const MAX_SESSIONS = 50_000;
/** Of those, what one remote address may have: a lab behind one address fits, a flood does not shut others out. */
export const MAX_SESSIONS_PER_PEER = 4_096;
