/** A session's side of one connection: hands over and replays, counts and acknowledges, says goodbye. */

import { WasimoffError } from "../errors.ts";
import { joinChunks } from "../join_chunks.ts";
import {
  ACK_EVERY_BYTES,
  ACK_EVERY_FRAMES,
  FAREWELL_TIMEOUT_MS,
  GAP_TIMEOUT_MS,
  HEARTBEAT_INTERVAL_MS,
  MAX_PAYLOAD_BYTES,
  SOCKET_HIGH_WATER_BYTES,
} from "../protocol/limits.ts";
import type { Connection, Lanes } from "./connection.ts";
import {
  DATA_HEAD_BYTES,
  decodeFrame,
  encodeFrame,
  type Frame,
  FRAME_ACK,
  FRAME_DATA,
  FRAME_END,
  FRAME_GOODBYE,
  FRAME_MESSAGE,
  FRAME_STOP,
  isSequenced,
  laneOf,
} from "./frame.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Loans } from "./loans.ts";
import type { ReceiveWindow } from "./receive_window.ts";
import type { ReplayBuffer } from "./replay_buffer.ts";

/** What a link needs from its session. */
export interface LinkOwner {
  readonly replay: ReplayBuffer;
  readonly window: ReceiveWindow;
  /** A frame that has not come before; nothing sent before it is missing when `inOrder`. May throw. */
  handle(frame: Frame, inOrder: boolean): void;
  /** The peer has sent something that it must not, or that could not be served. */
  failed(error: unknown): void;
  /** The connection takes more. */
  drained(): void;
  suspected(suspect: boolean): void;
  /** The connection is gone, not by us. */
  lost(link: Link, cause: WasimoffError): void;
}

/** Header and body of DATA. */
const MAX_DATA_FRAME_BYTES = DATA_HEAD_BYTES + MAX_PAYLOAD_BYTES;

type DataFrame = Extract<Frame, { type: typeof FRAME_DATA }>;

/** Beats without progress after which a missing frame will not come any more. */
const GAP_BEATS = GAP_TIMEOUT_MS / HEARTBEAT_INTERVAL_MS;

/** What comes is numbered by the peer where the connection has lanes, otherwise by its order. */
export class Link {
  readonly #connection: Connection;
  readonly #lanes: Lanes | null;
  readonly #owner: LinkOwner;
  readonly #heartbeat: Heartbeat;
  /** `deaf` after the peer's goodbye, `leaving` while ours waits. */
  #state: "open" | "deaf" | "leaving" | "over" = "open";
  #handed: number;
  /** Number of the last frame that came, where order numbers them. */
  #heard: number;
  #unackedFrames = 0;
  #unackedBytes = 0;
  /** Number of the last END that we sent on a lane: a goodbye must not overtake it. */
  #laneEnd = 0;
  /** Number of the last END that came on a lane; its sender may wait for the acknowledgement. */
  #endHeard = 0;
  #receivedAtBeat = 0;
  #gapBeats = 0;
  /** Bytes that were given to the connection. */
  #given = 0;
  readonly #loans = new Loans();
  readonly #closed = Promise.withResolvers<void>();
  #farewell: { cause: WasimoffError; timer: ReturnType<typeof setTimeout> } | null = null;

  /** `peerReceived` is what the peer said in its hello or welcome. */
  constructor(connection: Connection, peerReceived: number, owner: LinkOwner) {
    this.#connection = connection;
    this.#lanes = connection.lanes ?? null;
    this.#owner = owner;
    this.#handed = peerReceived;
    this.#heard = owner.window.received;
    this.#heartbeat = new Heartbeat({
      sendHeartbeat: () => this.#beat(),
      suspected: (suspect) => owner.suspected(suspect),
      silent: () => this.#drop("peer was silent for too long"),
    });
  }

  /** Begins to receive. */
  begin(): void {
    this.#connection.start({
      onFrame: (bytes, number) => this.#receive(bytes, number, false),
      onPieces: (first, rest) => this.#receivePieces(first, rest),
      onLaneFrame: (bytes, number) => this.#receive(bytes, number, true),
      onDrain: () => this.#drained(),
      onClose: (cause) => {
        this.#lose(cause);
        this.#closed.resolve();
      },
    });
  }

  /** Resolves when the connection has closed, whoever closed it: within seconds after `close` and `leave`. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Whether everything sequenced so far was given to the connection. */
  get upToDate(): boolean {
    return this.#handed === this.#owner.replay.sent;
  }

  /** Whether a goodbye would come behind everything that was given to the connection. */
  get settled(): boolean {
    return this.#owner.replay.acknowledged >= this.#laneEnd;
  }

  /** Whether frames without a lane should be sent now. */
  get hasRoom(): boolean {
    return this.#connection.buffered < SOCKET_HIGH_WATER_BYTES;
  }

  /** Nobody needs these bytes of the peer any more. */
  release({ buffer, length }: Uint8Array): void {
    this.#connection.release?.(buffer, length);
  }

  /** Hands over the frame that has just been sequenced, on a lane where it may have one. `done`: see Frame. */
  handNew(done?: () => void): void {
    const { replay } = this.#owner;
    const bytes = replay.take(this.#handed);
    const body = replay.bodyOf(this.#handed);
    const number = ++this.#handed;
    const stream = this.#lanes === null ? 0 : laneOf(bytes);
    if (stream === 0 || !this.#lanes!.open(stream)) {
      this.#send(bytes, number, body);
      if (done !== undefined) this.#loans.add(number, this.#given, done);
      return;
    }
    this.#lanes!.send(stream, body === undefined ? bytes : joinChunks([bytes, body]), number);
    if (bytes[0] !== FRAME_END) return;
    this.#laneEnd = number;
    this.#lanes!.close(stream);
  }

  /** A stream ends without END: its lane is free for another. */
  closeLane(stream: number): void {
    this.#lanes?.close(stream);
  }

  /**
   * Hands over what is left of a replay while there is room, in order and without lanes, as many of its streams
   * are over; false when something is still left.
   */
  catchUp(): boolean {
    const { replay } = this.#owner;
    // The peer may have more than it said: what had come ahead of a missing frame.
    this.#handed = Math.max(this.#handed, replay.acknowledged);
    while (this.#state === "open" && this.#handed < replay.sent && this.hasRoom) {
      const bytes = replay.take(this.#handed);
      const body = replay.bodyOf(this.#handed);
      this.#send(bytes, ++this.#handed, body);
    }
    return this.upToDate;
  }

  /** Closes without a goodbye. */
  close(cause: WasimoffError): void {
    if (this.#state === "over") return;
    this.#stop();
    this.#connection.close(cause.code, cause.message);
  }

  /** Says goodbye behind all that was handed over, then closes; waits for lanes at most FAREWELL_TIMEOUT_MS. */
  leave(cause: WasimoffError): void {
    if (this.#state === "over") return;
    if (this.settled) return this.#sayGoodbye(cause);
    this.#state = "leaving";
    this.#heartbeat.stop();
    const timer = setTimeout(() => this.#sayGoodbye(cause), FAREWELL_TIMEOUT_MS);
    this.#farewell = { cause, timer };
  }

  #sayGoodbye(cause: WasimoffError): void {
    this.#send(encodeFrame({ type: FRAME_GOODBYE, code: cause.code, reason: cause.message }), 0);
    this.close(cause);
  }

  #send(bytes: Uint8Array, number: number, body?: Uint8Array): void {
    this.#given += bytes.length + (body?.length ?? 0);
    this.#connection.send(bytes, number, body);
  }

  #stop(): void {
    this.#loans.clear();
    this.#state = "over";
    this.#heartbeat.stop();
    clearTimeout(this.#farewell?.timer);
  }

  #receive(bytes: Uint8Array, number: number | undefined, onLane: boolean): void {
    if (this.#state === "leaving") return this.#receiveLeaving(bytes);
    if (this.#state !== "open") return;
    this.#heartbeat.heard();
    try {
      const frame = decodeFrame(bytes);
      if (onLane && laneOf(bytes) === 0) {
        throw new WasimoffError("invalid_argument", "received a frame on a lane that is not for it");
      }
      if (isSequenced(frame.type)) this.#receiveSequenced(frame, bytes.length, number ?? ++this.#heard);
      else {
        if (frame.type === FRAME_GOODBYE) this.#state = "deaf";
        this.#owner.handle(frame, true);
        if (frame.type === FRAME_ACK) {
          this.#loans.acknowledged(frame.received, this.#given - this.#connection.buffered);
        }
      }
      this.#releaseRead(frame.type, bytes);
      if (onLane && frame.type === FRAME_END) this.#promiseAck(number!);
    } catch (error) {
      this.#owner.failed(error);
    }
  }

  /** A body may be kept, whatever else is in a frame is not. */
  #releaseRead(type: Frame["type"], { buffer, length }: Uint8Array): void {
    if (type === FRAME_DATA) this.#connection.release?.(buffer, DATA_HEAD_BYTES);
    else if (type !== FRAME_MESSAGE) this.#connection.release?.(buffer, length);
  }

  /** DATA is bytes of a stream, which take pieces; whatever else is that long is joined. */
  #receivePieces(first: Uint8Array, rest: Uint8Array): void {
    const bytes = first.length + rest.length;
    if (first[0] !== FRAME_DATA || bytes > MAX_DATA_FRAME_BYTES || this.#state !== "open") {
      return this.#receive(joinChunks([first, rest]), undefined, false);
    }
    this.#heartbeat.heard();
    try {
      const frame = decodeFrame(first) as DataFrame;
      const offset = frame.offset + frame.body.length; // while it is there: it may be released at once
      if (!this.#receiveSequenced(frame, bytes, ++this.#heard)) return;
      this.#connection.release?.(first.buffer, DATA_HEAD_BYTES);
      this.#owner.handle({ ...frame, offset, body: rest }, true);
    } catch (error) {
      this.#owner.failed(error);
    }
  }

  /** Whether the frame has not come before. */
  #receiveSequenced(frame: Frame, bytes: number, number: number): boolean {
    const { window } = this.#owner;
    const first = window.add(number);
    this.#unackedFrames++;
    this.#unackedBytes += bytes;
    this.#acknowledgeWhenDue();
    if (!first) return false;
    if (frame.type === FRAME_STOP) this.closeLane(frame.stream);
    this.#owner.handle(frame, window.received >= number);
    return true;
  }

  /** Only acknowledgements still matter. */
  #receiveLeaving(bytes: Uint8Array): void {
    try {
      const frame = decodeFrame(bytes);
      if (frame.type === FRAME_GOODBYE) this.close(this.#farewell!.cause);
      else if (frame.type === FRAME_ACK && frame.received >= this.#laneEnd) {
        this.#sayGoodbye(this.#farewell!.cause);
      }
    } catch (error) {
      this.close(WasimoffError.from(error));
    }
  }

  #promiseAck(number: number): void {
    if (this.#state !== "open") return;
    this.#endHeard = Math.max(this.#endHeard, number);
    this.#acknowledgeWhenDue();
  }

  #acknowledgeWhenDue(): void {
    const ended = this.#endHeard > 0 && this.#endHeard <= this.#owner.window.received;
    if (ended || this.#unackedFrames >= ACK_EVERY_FRAMES || this.#unackedBytes >= ACK_EVERY_BYTES) {
      this.#acknowledge();
    }
  }

  /** A peer that sends and never reads gets no acknowledgements, which would pile up: the next one says it all. */
  #acknowledge(): void {
    if (!this.hasRoom) return;
    const { received } = this.#owner.window;
    if (this.#endHeard <= received) this.#endHeard = 0;
    this.#unackedFrames = this.#unackedBytes = 0;
    this.#send(encodeFrame({ type: FRAME_ACK, received }), 0);
  }

  #beat(): void {
    this.#acknowledge();
    const { complete, received } = this.#owner.window;
    this.#gapBeats = complete || received !== this.#receivedAtBeat ? 0 : this.#gapBeats + 1;
    this.#receivedAtBeat = received;
    if (this.#gapBeats >= GAP_BEATS) this.#drop("frames are missing");
  }

  #drained(): void {
    if (this.#state !== "open") return;
    this.#acknowledgeWhenDue();
    this.#owner.drained();
  }

  #drop(reason: string): void {
    const cause = new WasimoffError("unavailable", reason);
    this.close(cause);
    this.#owner.lost(this, cause);
  }

  #lose(cause: WasimoffError): void {
    const over = this.#state === "over";
    this.#stop();
    if (!over) this.#owner.lost(this, cause);
  }
}
