/** A stream of the transport for each large byte stream that we send. */

import { MAX_LANES, SOCKET_HIGH_WATER_BYTES } from "../protocol/limits.ts";
import type { Lanes } from "../session/connection.ts";
import { type NumberedFrame, RecordWriter, type RecordWriterOwner } from "./record_writer.ts";

/** Streams of a lower order than the first one, which is 0 by default: messages do not wait for bulk. */
const LANE_SEND_ORDER = -1;
/** How long the transport may take to open a stream, as long as its peer allows no more; frames wait for it. */
const OPEN_TIMEOUT_MS = 2_000;

export interface OutgoingLanesOwner extends RecordWriterOwner {
  /** Opens a stream for us to write. */
  openStream(sendOrder: number): Promise<WritableStream<Uint8Array>>;
  /** Frames of a lane that could not be opened. */
  sendElsewhere(frames: readonly NumberedFrame[]): void;
}

/** At most MAX_LANES, those included that are ending. Without a stream from the transport there are none any more. */
export class OutgoingLanes implements Lanes {
  readonly #owner: OutgoingLanesOwner;
  readonly #open = new Map<number, RecordWriter>();
  readonly #ending = new Set<RecordWriter>();
  /** Those, open or ending, that have no stream yet. */
  readonly #opening = new Map<RecordWriter, ReturnType<typeof setTimeout>>();
  #usable = true;

  constructor(owner: OutgoingLanesOwner) {
    this.#owner = owner;
  }

  open(stream: number): boolean {
    if (this.#open.has(stream)) return true;
    if (!this.#usable || this.#open.size + this.#ending.size >= MAX_LANES) return false;
    const lane = new RecordWriter(this.#owner);
    this.#open.set(stream, lane);
    this.#opening.set(lane, setTimeout(() => this.#giveUp(), OPEN_TIMEOUT_MS));
    void this.#openStream(lane);
    return true;
  }

  hasRoom(stream: number): boolean {
    const lane = this.#open.get(stream);
    return lane === undefined || lane.buffered < SOCKET_HIGH_WATER_BYTES;
  }

  send(stream: number, frame: Uint8Array, number: number): void {
    this.#open.get(stream)?.send(frame, number);
  }

  close(stream: number): void {
    const lane = this.#open.get(stream);
    if (lane === undefined) return;
    this.#open.delete(stream);
    this.#ending.add(lane);
    void lane.end().then(() => this.#ending.delete(lane));
  }

  /** Ends all behind what was sent on them. */
  end(): void {
    this.#usable = false;
    for (const stream of [...this.#open.keys()]) this.close(stream);
  }

  /** Drops all, for a connection that is over. */
  abandon(): void {
    this.#usable = false;
    for (const timer of this.#opening.values()) clearTimeout(timer);
    for (const lane of [...this.#open.values(), ...this.#ending]) lane.abandon();
  }

  async #openStream(lane: RecordWriter): Promise<void> {
    try {
      const stream = await this.#owner.openStream(LANE_SEND_ORDER);
      clearTimeout(this.#opening.get(lane));
      this.#opening.delete(lane);
      lane.open(stream);
    } catch {
      this.#giveUp();
    }
  }

  /** What waits for streams goes elsewhere, and so does everything from now on that has no lane. */
  #giveUp(): void {
    this.#usable = false;
    const waiting = [...this.#opening];
    this.#opening.clear();
    for (const [lane, timer] of waiting) {
      clearTimeout(timer);
      for (const [stream, open] of this.#open) if (open === lane) this.#open.delete(stream);
      this.#owner.sendElsewhere(lane.abandon());
    }
    this.#owner.drained();
  }
}
