/** One peer across all its connections: a lane of messages and many byte streams, complete and in order. */

import { WasimoffError } from "../errors.ts";
import {
  LANES_WINDOW_BYTES,
  MAX_EARLY_MESSAGES,
  MAX_PAYLOAD_BYTES,
  MAX_TIMER_MS,
  REPLAY_LIMIT_BYTES,
  REPLAY_WINDOW_BYTES,
} from "../protocol/limits.ts";
import type { Connection } from "./connection.ts";
import {
  encodeDataHead,
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
  isSeparable,
} from "./frame.ts";
import { Link, type LinkOwner } from "./link.ts";
import { ReceiveWindow } from "./receive_window.ts";
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
  readonly #window = new ReceiveWindow();
  readonly #linkOwner: LinkOwner;
  readonly #ended = new AbortController();
  readonly #left = Promise.withResolvers<void>();
  readonly #watchers: SessionWatcher[] = [];
  #onMessage: ((body: Uint8Array) => void) | null = null;
  #earlyMessages: Uint8Array[] = [];
  #link: Link | null = null;
  #lease: ReturnType<typeof setTimeout> | undefined;
  /** Runs between the peer's goodbye and the end. */
  #goodbye: ReturnType<typeof setTimeout> | undefined;
  #room: PromiseWithResolvers<void> | null = null;

  constructor({ side, leaseMs }: SessionOptions) {
    this.#leaseMs = Math.min(leaseMs, MAX_TIMER_MS);
    this.streams = new StreamTable(side, {
      send: (frame) => this.#sequence(frame),
      wake: () => this.#pump(),
      release: (chunk) => this.#link?.release(chunk),
    });
    this.#linkOwner = {
      replay: this.#replay,
      window: this.#window,
      handle: (frame, inOrder) => this.#handle(frame, inOrder),
      failed: (error) => this.#fail(error),
      drained: () => this.#pump(),
      suspected: (suspect) => this.#tell((watcher) => watcher.suspected?.(suspect)),
      lost: (link, cause) => this.#detach(link, cause),
    };
    this.#startLease();
  }

  /** Aborted when the session ends, with the cause (a WasimoffError) as reason. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /**
   * Resolves when the session has ended and its last connection has closed behind the goodbye, which takes up to
   * some seconds: a process that exits before loses what it said last.
   */
  get left(): Promise<void> {
    return this.#left.promise;
  }

  /** Sequenced frames received so far: what a resuming hello or welcome says. */
  get received(): number {
    return this.#window.received;
  }

  get connected(): boolean {
    return this.#link !== null;
  }

  /** Whether all that it was given has gone to the connection and a goodbye would come behind it. */
  get flushed(): boolean {
    if (this.streams.sending > 0 || !this.canHaveReceived(this.#replay.sent)) return false;
    return this.#link === null || (this.#link.upToDate && this.#link.settled);
  }

  /** Adds a watcher, for the life of the session. */
  watch(watcher: SessionWatcher): void {
    this.#watchers.push(watcher);
  }

  /** Begins delivery of messages; those that came earlier are delivered at once. */
  receiveMessages(onMessage: (body: Uint8Array) => void): void {
    this.#onMessage = onMessage;
    try {
      for (const body of this.#earlyMessages.splice(0)) onMessage(body);
    } catch (error) {
      this.#fail(error);
    }
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
    return this.#replay.canHaveReceived(frames);
  }

  /**
   * Goes on over a new connection, replacing one that may still be there. `peerReceived` is what the peer said
   * in its hello or welcome; an impossible count (see `canHaveReceived`) ends the session.
   */
  attach(connection: Connection, peerReceived: number): void {
    if (this.signal.aborted) return connection.close("unavailable", "session has ended");
    clearTimeout(this.#lease);
    this.#link?.close(new WasimoffError("aborted", "session goes on over another connection"));
    this.#link = new Link(connection, peerReceived, this.#linkOwner);
    if (!this.canHaveReceived(peerReceived)) {
      this.#link.begin();
      return this.close(impossible(peerReceived));
    }
    this.#replay.acknowledge(peerReceived);
    this.streams.useLanes(connection.lanes ?? null);
    this.#link.begin();
    this.#tell((watcher) => watcher.attached?.());
    this.#afterAcknowledgement();
  }

  /** Says goodbye and ends the session on both sides. */
  close(cause: WasimoffError): void {
    if (this.signal.aborted) return;
    const link = this.#link;
    this.#link = null;
    link?.leave(cause);
    this.#left.resolve(link?.closed);
    this.#end(cause);
  }

  /** What goes wrong with something that the peer has sent ends this session and nothing else. */
  #fail(error: unknown): void {
    this.close(WasimoffError.from(error, "internal"));
  }

  #handle(frame: Frame, inOrder: boolean): void {
    switch (frame.type) {
      case FRAME_MESSAGE:
        return this.#deliver(frame.body);
      case FRAME_DATA:
      case FRAME_END:
      case FRAME_ABORT:
      case FRAME_CREDIT:
      case FRAME_STOP:
        this.streams.handle(frame, inOrder);
        if (!this.streams.holding || !this.#window.complete) return;
        throw new WasimoffError("invalid_argument", "received streams with gaps");
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

  #afterAcknowledgement(): void {
    if (!this.congested) {
      this.#room?.resolve();
      this.#room = null;
    }
    this.#pump();
  }

  #sequence(frame: Frame): void {
    if (this.signal.aborted) return;
    const apart = frame.type === FRAME_DATA && isSeparable(frame.body);
    const bytes = apart ? encodeDataHead(frame.stream, frame.offset) : encodeFrame(frame);
    const body = apart ? frame.body : undefined;
    if (this.#replay.bytes + bytes.length + (body?.length ?? 0) > REPLAY_LIMIT_BYTES) {
      return this.close(new WasimoffError("resource_exhausted", "peer acknowledges too slowly"));
    }
    // While a replay is under way `#pump` keeps the order.
    const upToDate = this.#link?.upToDate;
    this.#replay.push(bytes, body);
    if (upToDate) this.#link!.handNew(apart ? frame.done : undefined);
    if (frame.type === FRAME_ABORT) this.#link?.closeLane(frame.stream);
  }

  /** Hands over what is left of a replay, then lets the streams send in turn, while there is room. */
  #pump(): void {
    while (this.#link?.catchUp()) {
      const frame = this.#nextFrame(this.#link);
      if (frame === null) return;
      this.#sequence(frame);
    }
  }

  #nextFrame(link: Link): Frame | null {
    const { bytes } = this.#replay;
    const frame = bytes <= REPLAY_WINDOW_BYTES && link.hasRoom ? this.streams.nextFrame() : null;
    return frame ?? (bytes <= LANES_WINDOW_BYTES ? this.streams.nextLaneFrame() : null);
  }

  #detach(link: Link, cause: WasimoffError): void {
    if (this.#link !== link) return;
    this.#link = null;
    this.streams.useLanes(null);
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
    const link = this.#link;
    this.#link = null;
    this.#replay.clear();
    this.#ended.abort(cause);
    this.streams.fail(cause);
    this.#room?.resolve();
    link?.close(cause);
    this.#left.resolve(link?.closed);
  }
}

function impossible(frames: number): WasimoffError {
  return new WasimoffError("invalid_argument", `peer cannot have received ${frames} frames`);
}
