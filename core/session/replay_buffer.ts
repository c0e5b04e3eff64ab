/** Sequenced frames that the peer has not acknowledged, kept for the next connection. */

import { WasimoffError } from "../errors.ts";

/** Takes the place of an acknowledged frame, so that its bytes are free before the array is compacted. */
const NOTHING = new Uint8Array(0);

/** What holding a frame costs beside its bytes: a flood of tiny ones must not cost more than the limit says. */
const FRAME_OVERHEAD_BYTES = 256;

/** Counts frames from the session's begin; holds those between the last acknowledged and the last sent. */
export class ReplayBuffer {
  #frames: Uint8Array[] = [];
  /** Of those frames that end with a body of its own, by their index from the session's begin. */
  readonly #bodies = new Map<number, Uint8Array>();
  /** Index in `#frames` of the first unacknowledged one: dropping from the front of an array is slow. */
  #head = 0;
  #acked = 0;
  #bytes = 0;
  #given = 0;

  /** Bytes held, with what holding them costs. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Frames sequenced so far in this session. */
  get sent(): number {
    return this.#acked + this.#frames.length - this.#head;
  }

  /** Frames that the peer has acknowledged so far in this session. */
  get acknowledged(): number {
    return this.#acked;
  }

  /** Whether the peer can have received so many: no fewer than it acknowledged, no more than were ever `take`n. */
  canHaveReceived(frames: number): boolean {
    return frames >= this.#acked && frames <= this.#given;
  }

  /** Adds a frame; `body` comes behind it and must not change. */
  push(frame: Uint8Array, body?: Uint8Array): void {
    if (body !== undefined) this.#bodies.set(this.sent, body);
    this.#frames.push(frame);
    this.#bytes += frame.length + (body?.length ?? 0) + FRAME_OVERHEAD_BYTES;
  }

  /**
   * Forgets the first `received` frames of the session. Throws `invalid_argument` for a count that goes back
   * or beyond what was sent.
   */
  acknowledge(received: number): void {
    if (received < this.#acked || received > this.sent) {
      throw new WasimoffError(
        "invalid_argument",
        `received an acknowledgement of ${received} frames: ${this.#acked} to ${this.sent} were expected`,
      );
    }
    for (; this.#acked < received; this.#acked++) {
      const body = this.bodyOf(this.#acked);
      if (body !== undefined) this.#bodies.delete(this.#acked);
      this.#bytes -= this.#frames[this.#head]!.length + (body?.length ?? 0) + FRAME_OVERHEAD_BYTES;
      this.#frames[this.#head++] = NOTHING;
    }
    if (this.#head > 64 && this.#head * 2 > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head);
      this.#head = 0;
    }
  }

  /** The frame with this index from the session's begin, to be sent; it must be unacknowledged. */
  take(index: number): Uint8Array {
    const frame = this.#frames[this.#head + index - this.#acked];
    if (frame === undefined || index < this.#acked) throw new RangeError(`frame ${index} is not held`);
    if (index >= this.#given) this.#given = index + 1;
    return frame;
  }

  /** What comes behind the frame with this index. */
  bodyOf(index: number): Uint8Array | undefined {
    return this.#bodies.size === 0 ? undefined : this.#bodies.get(index);
  }

  /** Forgets all; for the end of the session. */
  clear(): void {
    this.#bodies.clear();
    this.#frames = [];
    this.#head =
      this.#acked =
      this.#bytes =
      this.#given =
        0;
  }
}
