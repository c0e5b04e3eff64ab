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
/** Unacknowledged bytes after which lanes wait: less, so that lost packets of a lane never make requests wait. */
export const LANES_WINDOW_BYTES = 3 * MIB;
/** Frames that may have come ahead of a missing one: as many of the smallest as REPLAY_LIMIT_BYTES allows. */
export const MAX_FRAMES_AHEAD = REPLAY_LIMIT_BYTES / 256;
/** Lanes of one direction on a connection; further streams share the first one. QUIC peers allow 100 streams. */
export const MAX_LANES = 64;
/** How long a frame may be missing that others have overtaken; then the connection is dropped. */
export const GAP_TIMEOUT_MS = 30_000;
/** How long a goodbye waits for the acknowledgement of streams that ended on lanes of their own. */
export const FAREWELL_TIMEOUT_MS = 2_000;
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

/** How long the session of a tunnel outlives its connection, and with it the streams of its visitors. */
export const TUNNEL_LEASE_MS = 30_000;
/** Nonces of one session that are not used yet: what a client that opens several tunnels at once needs. */
export const MAX_TUNNEL_NONCES = 8;
/** How long a nonce is good. */
export const TUNNEL_NONCE_MS = 30_000;
/** Registrations of one session that may fail; then it ends. */
export const MAX_TUNNEL_FAILURES = 16;
/** Tunnels of one session. */
export const MAX_TUNNELS_PER_SESSION = 64;
/** Tunnels of one broker. */
export const MAX_TUNNELS = 16_384;
/** Streams of one tunnel at once: half of what its session could carry. */
export const MAX_TUNNEL_STREAMS = 4_096;
/** Of those, what one remote address may have, so that one visitor does not shut others out. */
export const MAX_TUNNEL_STREAMS_PER_VISITOR = 1_024;
/** How long a tunnel client may take to reach its service. */
export const TUNNEL_OPEN_TIMEOUT_MS = 10_000;
/** Friendly names that a broker remembers. */
export const MAX_TUNNEL_NAMES = 10_000;
/** Of those, what one owner may take. */
export const MAX_TUNNEL_NAMES_PER_OWNER = 64;
/** Passwords, and ranges of addresses, of one tunnel. */
export const MAX_TUNNEL_RULES = 256;
