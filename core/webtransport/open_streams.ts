/** The open streams of a session: held, because QUIC ends a stream properly that nobody holds any more. */

import {
  hasEnded,
  type QuicBidirectionalStream,
  type QuicReceiveStream,
  type QuicSendStream,
} from "./quic_connection.ts";

/** Ended streams are looked for when so many have come, or twice as many as were open the last time. */
const FIRST_SWEEP = 64;

/** Says that nobody is interested in a direction of a stream. Does nothing when somebody has locked it. */
export function dropStream(stream: QuicReceiveStream | QuicSendStream): void {
  if (stream.locked) return;
  const dropped = stream instanceof ReadableStream ? stream.cancel() : stream.abort();
  dropped.catch(ignore);
}

/** Drops both directions. */
export function refuseStream(stream: QuicBidirectionalStream | QuicReceiveStream | QuicSendStream): void {
  if (!("readable" in stream)) return dropStream(stream);
  dropStream(stream.readable);
  dropStream(stream.writable);
}

/** Each direction counts by itself. */
export class OpenStreams {
  #streams = new Set<QuicReceiveStream | QuicSendStream>();
  #sweepAt = FIRST_SWEEP;

  add(...streams: readonly (QuicReceiveStream | QuicSendStream)[]): void {
    for (const stream of streams) this.#streams.add(stream);
    if (this.#streams.size >= this.#sweepAt) this.#sweep();
  }

  /** How many are held: those that are open, and some that have ended lately. */
  get size(): number {
    return this.#streams.size;
  }

  /** Drops all that nobody has locked; the others are left to who has. */
  end(): void {
    for (const stream of this.#streams) dropStream(stream);
    this.#streams.clear();
  }

  /** Costs the same for each stream however many are open. */
  #sweep(): void {
    for (const stream of this.#streams) if (hasEnded(stream)) this.#streams.delete(stream);
    this.#sweepAt = Math.max(FIRST_SWEEP, 2 * this.#streams.size);
  }
}

/** The stream has ended in another way already. */
function ignore(): void {}
