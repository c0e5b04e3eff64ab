/** All live byte streams of one session: their ids, whose turn it is to send, and the credit they share. */

import { WasimoffError } from "../errors.ts";
import { MAX_STREAMS, SESSION_CREDIT_BYTES } from "../protocol/limits.ts";
import type { Lanes } from "./connection.ts";
import { type Frame, FRAME_ABORT, FRAME_CREDIT, FRAME_DATA, FRAME_END, FRAME_STOP } from "./frame.ts";
import { ReceiveStream, type ReceiveStreamOwner } from "./receive_stream.ts";
import { SendStream, type SendStreamOwner } from "./send_stream.ts";

/** What the streams need from their session. */
export interface StreamTableOwner {
  /** Sends a frame at once, ahead of scheduled data. */
  send(frame: Frame): void;
  /** A stream has something to send: call `nextFrame` when there is room. */
  wake(): void;
  /** See ByteSource. */
  release(chunk: Uint8Array): void;
}

export type StreamFrame = Extract<Frame, { stream: number }>;

/** Which side of the session this is: dialers allocate even stream ids, acceptors odd ones. */
export type Side = "dialer" | "acceptor";

/** Ids are 32 bits on the wire. */
const MAX_STREAM_ID = 0xffff_ffff;

export class StreamTable {
  readonly #side: Side;
  readonly #senders = new Map<number, SendStream>();
  readonly #receivers = new Map<number, ReceiveStream>();
  /** In turn: a set iterates in order of insertion. */
  readonly #scheduled = new Set<SendStream>();
  /** Those whose next frame travels on a lane of its own, in turn. */
  readonly #onLanes = new Set<SendStream>();
  #lanes: Lanes | null = null;
  /** Those that hold what has overtaken other bytes of theirs. */
  readonly #holding = new Set<ReceiveStream>();
  readonly #sendOwner: SendStreamOwner;
  readonly #receiveOwner: ReceiveStreamOwner;
  #credit = SESSION_CREDIT_BYTES;
  readonly #firstId: number;
  #nextId: number;
  #failure: WasimoffError | null = null;

  constructor(side: Side, owner: StreamTableOwner) {
    this.#side = side;
    this.#nextId = this.#firstId = side === "dialer" ? 2 : 1;
    const send = (frame: Frame) => this.#failure === null && owner.send(frame);
    this.#sendOwner = {
      send,
      schedule: (stream) => {
        this.#enqueue(stream);
        owner.wake();
      },
      forget: (stream) => {
        this.#scheduled.delete(stream);
        this.#onLanes.delete(stream);
        this.#senders.delete(stream.id);
      },
    };
    this.#receiveOwner = {
      send,
      reserve: (bytes) => {
        if (bytes > this.#credit) return false;
        this.#credit -= bytes;
        return true;
      },
      release: (bytes) => void (this.#credit += bytes),
      held: (stream, holds) => void (holds ? this.#holding.add(stream) : this.#holding.delete(stream)),
      done: (chunk) => owner.release(chunk),
      forget: (stream) => {
        this.#receivers.delete(stream.id);
        this.#holding.delete(stream);
      },
    };
  }

  /** Live streams. */
  get size(): number {
    return this.#senders.size + this.#receivers.size;
  }

  /** Live streams of this side's own bytes, whose last word is still to be sent. */
  get sending(): number {
    return this.#senders.size;
  }

  openSend(): SendStream {
    return this.#addSend(this.#allocate());
  }

  openReceive(): ReceiveStream {
    return this.#addReceive(this.#allocate());
  }

  acceptSend(id: number): SendStream {
    return this.#addSend(this.#checkPeerId(id));
  }

  acceptReceive(id: number): ReceiveStream {
    return this.#addReceive(this.#checkPeerId(id));
  }

  /** Whether a stream waits for bytes that other bytes of it have overtaken. */
  get holding(): boolean {
    return this.#holding.size > 0;
  }

  /** From now on large streams travel on these, or with all others. */
  useLanes(lanes: Lanes | null): void {
    this.#lanes = lanes;
    const streams = [...this.#scheduled, ...this.#onLanes];
    this.#scheduled.clear();
    this.#onLanes.clear();
    for (const stream of streams) if (stream.ready) this.#enqueue(stream);
  }

  /**
   * A frame of the peer. One for a stream that is no longer live was on the way when we stopped it. `inOrder`:
   * all that was sent before it has come.
   */
  handle(frame: StreamFrame, inOrder = true): void {
    switch (frame.type) {
      case FRAME_DATA:
        return this.#receivers.get(frame.stream)?.data(frame.offset, frame.body, inOrder);
      case FRAME_END:
        return this.#receivers.get(frame.stream)?.ended(frame.length, inOrder);
      case FRAME_ABORT:
        return this.#receivers.get(frame.stream)?.fail(new WasimoffError(frame.code, frame.reason));
      case FRAME_CREDIT:
        return this.#senders.get(frame.stream)?.allow(frame.limit);
      case FRAME_STOP:
        return this.#senders.get(frame.stream)?.stopped(new WasimoffError(frame.code, frame.reason));
      default:
        return frame satisfies never;
    }
  }

  /** One frame of the stream whose turn it is among those without a lane, or null when none can send. */
  nextFrame(): Frame | null {
    for (const stream of this.#scheduled) {
      this.#scheduled.delete(stream);
      if (stream.ready) return this.#frameOf(stream);
    }
    return null;
  }

  /** One frame of the stream whose turn it is among those whose lane has room, or null when none can send. */
  nextLaneFrame(): Frame | null {
    for (const stream of this.#onLanes) {
      if (!this.#lanes!.hasRoom(stream.id)) continue;
      this.#onLanes.delete(stream);
      if (stream.ready) return this.#frameOf(stream);
    }
    return null;
  }

  #frameOf(stream: SendStream): Frame {
    const frame = stream.nextFrame();
    if (stream.ready) this.#enqueue(stream);
    return frame;
  }

  #enqueue(stream: SendStream): void {
    const onLane = stream.large && this.#lanes !== null && this.#lanes.open(stream.id);
    const [queue, other] = onLane ? [this.#onLanes, this.#scheduled] : [this.#scheduled, this.#onLanes];
    other.delete(stream);
    queue.add(stream);
  }

  /** The session has ended: so has every stream. */
  fail(cause: WasimoffError): void {
    this.#failure = cause;
    for (const stream of this.#senders.values()) stream.fail(cause);
    for (const stream of this.#receivers.values()) stream.fail(cause);
    this.#senders.clear();
    this.#scheduled.clear();
    this.#onLanes.clear();
    this.#lanes = null;
  }

  /** Goes through all 2^31 ids of this side before one is used again. */
  #allocate(): number {
    this.checkRoom(1);
    for (;;) {
      const id = this.#nextId;
      this.#nextId = id + 2 > MAX_STREAM_ID ? this.#firstId : id + 2;
      if (!this.#senders.has(id) && !this.#receivers.has(id)) return id;
    }
  }

  #checkPeerId(id: number): number {
    const parity = this.#side === "dialer" ? 1 : 0;
    if (
      id > 0 && id <= MAX_STREAM_ID && id % 2 === parity && !this.#senders.has(id) && !this.#receivers.has(id)
    ) return id;
    throw new WasimoffError("invalid_argument", `stream ${id} cannot be opened`);
  }

  #addSend(id: number): SendStream {
    this.checkRoom(1);
    const stream = new SendStream(id, this.#sendOwner);
    this.#senders.set(id, stream);
    return stream;
  }

  #addReceive(id: number): ReceiveStream {
    this.checkRoom(1);
    const stream = new ReceiveStream(id, this.#receiveOwner);
    this.#receivers.set(id, stream);
    return stream;
  }

  /** Throws when fewer than so many streams can be opened now: `resource_exhausted`, or why the session has ended. */
  checkRoom(streams: number): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.size + streams <= MAX_STREAMS) return;
    throw new WasimoffError("resource_exhausted", `session has ${MAX_STREAMS} streams already`);
  }
}
