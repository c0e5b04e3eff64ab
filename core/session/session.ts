/** One peer across all its connections: a lane of messages and many byte streams, complete and in order. */

import { WasimoffError } from "../errors.ts";
import {
  ACK_EVERY_BYTES,
  ACK_EVERY_FRAMES,
  MAX_EARLY_MESSAGES,
  MAX_PAYLOAD_BYTES,
  MAX_TIMER_MS,
  REPLAY_LIMIT_BYTES,
  REPLAY_WINDOW_BYTES,
  SOCKET_HIGH_WATER_BYTES,
} from "../protocol/limits.ts";
import type { Connection } from "./connection.ts";
import {
  decodeFrame,
  encodeFrame,
  type Frame,
  FRAME_ABORT,
  FRAME_ACK,
  FRAME_CREDIT,
  FRAME_DATA,
  FRAME_END,
  FRAME_GOODBYE,
  FRAME_HELLO,
  FRAME_MESSAGE,
  FRAME_REFUSAL,
  FRAME_STOP,
  FRAME_WELCOME,
  isSequenced,
} from "./frame.ts";
import { Heartbeat } from "./heartbeat.ts";
import { ReplayBuffer } from "./replay_buffer.ts";
import { type Side, StreamTable } from "./stream_table.ts";

export interface SessionOptions {
  readonly side: Side;
  /** How long the session lives without a connection, also before the first one. */
  readonly leaseMs: number;
}

/** What the owner of a session may want to hear about its connections. */
export interface SessionWatcher {
  /** Goes on over a new connection, whose peer is not suspected. */
  attached?(): void;
  /** The connection is gone; the session ends after its lease unless another comes. */
  detached?(cause: WasimoffError): void;
  /** The peer has become silent (its connection is still there), or speaks again. */
  suspected?(suspect: boolean): void;
}

/**
 * Sends and receives while connections come and go. Everything sequenced is kept until the peer has
 * acknowledged it and replayed on the next connection. Ends once, with a cause that reaches every waiter: by
 * `close`, by the peer's goodbye, by a violation of the protocol, or when the lease runs out.
 */
export class Session {
  readonly streams: StreamTable;
  readonly #leaseMs: number;
  readonly #replay = new ReplayBuffer();
  readonly #ended = new AbortController();
  readonly #watchers: SessionWatcher[] = [];
  #onMessage: ((body: Uint8Array) => void) | null = null;
  #earlyMessages: Uint8Array[] = [];
  #connection: Connection | null = null;
  /** Frames of the replay buffer that the current connection was given. */
  #handed = 0;
  #heartbeat: Heartbeat | null = null;
  #lease: ReturnType<typeof setTimeout> | undefined;
  /** Runs between the peer's goodbye and the end. */
  #goodbye: ReturnType<typeof setTimeout> | undefined;
  #received = 0;
  #unackedFrames = 0;
  #unackedBytes = 0;
  #room: PromiseWithResolvers<void> | null = null;

  constructor({ side, leaseMs }: SessionOptions) {
    this.#leaseMs = Math.min(leaseMs, MAX_TIMER_MS);
    this.streams = new StreamTable(side, {
      send: (frame) => this.#sequence(frame),
      wake: () => this.#pump(),
    });
    this.#startLease();
  }

  /** Aborted when the session ends, with the cause (a WasimoffError) as reason. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Sequenced frames received so far: what a resuming hello or welcome says. */
  get received(): number {
    return this.#received;
  }

  get connected(): boolean {
    return this.#connection !== null;
  }

  /** Whether all that it was given has gone to the connection: a goodbye would come behind it. */
  get flushed(): boolean {
    return this.streams.sending === 0 && this.#handed === this.#replay.sent;
  }

  /** Adds a watcher, for the life of the session. */
  watch(watcher: SessionWatcher): void {
    this.#watchers.push(watcher);
  }

  /** Begins delivery of messages; those that came earlier are delivered at once. */
  receiveMessages(onMessage: (body: Uint8Array) => void): void {
    this.#onMessage = onMessage;
    this.#guard(() => {
      for (const body of this.#earlyMessages.splice(0)) onMessage(body);
    });
  }

  /** Sends a message of at most MAX_PAYLOAD_BYTES; throws `out_of_range` beyond, the cause after the end. */
  send(body: Uint8Array): void {
    if (body.length > MAX_PAYLOAD_BYTES) {
      throw new WasimoffError("out_of_range", `message of ${body.length} bytes exceeds ${MAX_PAYLOAD_BYTES}`);
    }
    this.signal.throwIfAborted();
    this.#sequence({ type: FRAME_MESSAGE, body });
    this.signal.throwIfAborted(); // by this message, when the peer acknowledges nothing
  }

  /** Whether the peer has acknowledged enough for a further request; see `writable`. */
  get congested(): boolean {
    return this.#replay.bytes > REPLAY_WINDOW_BYTES;
  }

  /** Resolves when the session is no longer congested; rejects when it ends. */
  async writable(): Promise<void> {
    for (;;) {
      this.signal.throwIfAborted();
      if (!this.congested) return;
      this.#room ??= Promise.withResolvers();
      await this.#room.promise;
    }
  }

  /** Whether the peer can have received so many frames: no fewer than it acknowledged or more than it got. */
  canHaveReceived(frames: number): boolean {
    return frames >= this.#replay.acknowledged && frames <= this.#handed;
  }

  /**
   * Goes on over a new connection, replacing one that may still be there. `peerReceived` is what the peer said
   * in its hello or welcome; an impossible count (see `canHaveReceived`) ends the session.
   */
  attach(connection: Connection, peerReceived: number): void {
    if (this.signal.aborted) return connection.close("unavailable", "session has ended");
    this.#replaceConnection(connection);
    if (!this.canHaveReceived(peerReceived)) return this.close(impossible(peerReceived));
    this.#replay.acknowledge(peerReceived);
    this.#handed = peerReceived;
    this.#unackedFrames = this.#unackedBytes = 0;
    this.#heartbeat = new Heartbeat({
      sendHeartbeat: () => this.#acknowledge(),
      suspected: (suspect) => this.#tell((watcher) => watcher.suspected?.(suspect)),
      silent: () => this.#drop(connection, new WasimoffError("unavailable", "peer was silent for too long")),
    });
    connection.start({
      onFrame: (bytes) => {
        if (this.#connection === connection && this.#goodbye === undefined) this.#onFrame(bytes);
      },
      onDrain: () => {
        if (this.#connection !== connection) return;
        this.#acknowledgeWhenDue();
        this.#pump();
      },
      onClose: (cause) => this.#detach(connection, cause),
    });
    this.#tell((watcher) => watcher.attached?.());
    this.#afterAcknowledgement();
  }

  /** Says goodbye and ends the session on both sides. */
  close(cause: WasimoffError): void {
    if (this.signal.aborted) return;
    this.#connection?.send(encodeFrame({ type: FRAME_GOODBYE, code: cause.code, reason: cause.message }));
    this.#end(cause);
  }

  #onFrame(bytes: Uint8Array): void {
    this.#heartbeat?.heard();
    this.#guard(() => {
      const frame = decodeFrame(bytes);
      if (isSequenced(frame.type)) this.#count(bytes.length);
      this.#handle(frame);
    });
  }

  /** What goes wrong with something that the peer has sent ends this session and nothing else. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.close(WasimoffError.from(error, "internal"));
    }
  }

  #handle(frame: Frame): void {
    switch (frame.type) {
      case FRAME_MESSAGE:
        return this.#deliver(frame.body);
      case FRAME_DATA:
      case FRAME_END:
      case FRAME_ABORT:
      case FRAME_CREDIT:
      case FRAME_STOP:
        return this.streams.handle(frame);
      case FRAME_GOODBYE:
        return this.#endSoon(new WasimoffError(frame.code, frame.reason));
      case FRAME_ACK:
        if (!this.canHaveReceived(frame.received)) throw impossible(frame.received);
        this.#replay.acknowledge(frame.received);
        return this.#afterAcknowledgement();
      case FRAME_HELLO:
      case FRAME_WELCOME:
      case FRAME_REFUSAL:
        throw new WasimoffError("invalid_argument", "received a second hello");
      default:
        return frame satisfies never;
    }
  }

  #deliver(body: Uint8Array): void {
    if (this.#onMessage !== null) return this.#onMessage(body);
    // Only between the hello and `receiveMessages`, which follow each other at once.
    if (this.#earlyMessages.length >= MAX_EARLY_MESSAGES) {
      throw new WasimoffError("resource_exhausted", "received messages before anybody listens");
    }
    this.#earlyMessages.push(body.slice());
  }

  #count(bytes: number): void {
    this.#received++;
    this.#unackedFrames++;
    this.#unackedBytes += bytes;
    this.#acknowledgeWhenDue();
  }

  #acknowledgeWhenDue(): void {
    if (this.#unackedFrames >= ACK_EVERY_FRAMES || this.#unackedBytes >= ACK_EVERY_BYTES) this.#acknowledge();
  }

  /** A peer that sends and never reads gets no acknowledgements, which would pile up: the next one says it all. */
  #acknowledge(): void {
    if (this.#connection === null || this.#connection.buffered >= SOCKET_HIGH_WATER_BYTES) return;
    this.#unackedFrames = this.#unackedBytes = 0;
    this.#connection.send(encodeFrame({ type: FRAME_ACK, received: this.#received }));
  }

  #afterAcknowledgement(): void {
    if (!this.congested) {
      this.#room?.resolve();
      this.#room = null;
    }
    this.#pump();
  }

  #sequence(frame: Frame): void {
    if (this.signal.aborted) return;
    const bytes = encodeFrame(frame);
    if (this.#replay.bytes + bytes.length > REPLAY_LIMIT_BYTES) {
      return this.close(new WasimoffError("resource_exhausted", "peer acknowledges too slowly"));
    }
    const upToDate = this.#handed === this.#replay.sent;
    this.#replay.push(bytes);
    if (this.#connection === null || !upToDate) return; // a replay is under way: `#pump` keeps the order
    this.#handed++;
    this.#connection.send(bytes);
  }

  /** Hands over what is left of a replay, then lets the streams send in turn, while the socket has room. */
  #pump(): void {
    for (;;) {
      if (this.#connection === null || this.#connection.buffered >= SOCKET_HIGH_WATER_BYTES) return;
      if (this.#handed < this.#replay.sent) {
        this.#connection.send(this.#replay.frame(this.#handed++));
        continue;
      }
      if (this.congested) return;
      const frame = this.streams.nextFrame();
      if (frame === null) return;
      this.#sequence(frame);
    }
  }

  #replaceConnection(connection: Connection): void {
    const old = this.#connection;
    this.#connection = connection;
    this.#heartbeat?.stop();
    clearTimeout(this.#lease);
    old?.close("aborted", "session goes on over another connection");
  }

  #drop(connection: Connection, cause: WasimoffError): void {
    connection.close(cause.code, cause.message);
    this.#detach(connection, cause);
  }

  #detach(connection: Connection, cause: WasimoffError): void {
    if (this.#connection !== connection) return;
    this.#connection = null;
    this.#heartbeat?.stop();
    if (this.#goodbye !== undefined) return; // nobody will come back
    this.#startLease();
    this.#tell((watcher) => watcher.detached?.(cause));
  }

  #tell(event: (watcher: SessionWatcher) => void): void {
    for (const watcher of this.#watchers) event(watcher);
  }

  #startLease(): void {
    this.#lease = setTimeout(
      () => this.#end(new WasimoffError("unavailable", `peer has been away for ${this.#leaseMs / 1000} s`)),
      this.#leaseMs,
    );
  }

  /**
   * Ends in a later turn: what came right before a goodbye, as the answer to a last request, is still on its way
   * through promises and must not be overtaken.
   */
  #endSoon(cause: WasimoffError): void {
    this.#goodbye ??= setTimeout(() => this.#end(cause), 0);
  }

  #end(cause: WasimoffError): void {
    if (this.signal.aborted) return;
    clearTimeout(this.#lease);
    clearTimeout(this.#goodbye);
    this.#heartbeat?.stop();
    const connection = this.#connection;
    this.#connection = null;
    this.#replay.clear();
    this.#ended.abort(cause);
    this.streams.fail(cause);
    this.#room?.resolve();
    connection?.close(cause.code, cause.message);
  }
}

function impossible(frames: number): WasimoffError {
  return new WasimoffError("invalid_argument", `peer cannot have received ${frames} frames`);
}
