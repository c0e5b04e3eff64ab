/** One frame after the other from a control stream or a request stream. */

import type { ByteReader } from "./byte_reader.ts";
import { type Frame, FrameReader } from "./http3_frame.ts";
import { encodeVarints } from "./varint.ts";

/** Pulls frames, so that a slow reader slows the peer down. */
export class FrameStream {
  readonly #reader: ByteReader;
  readonly #frames: FrameReader;
  /** What the last chunk completed: few, as chunks are small. */
  #ready: Frame[] = [];

  /** `firstType`: the type of the first frame of a request, read already. */
  constructor(reader: ByteReader, kind: "control" | "request", firstType?: bigint) {
    this.#reader = reader;
    this.#frames = new FrameReader(kind);
    if (firstType !== undefined) this.#ready.push(...this.#frames.push(encodeVarints(firstType)));
  }

  /** The next frame, or piece of a DATA frame; undefined at the end. Rejects as `FrameReader` and the stream do. */
  async next(): Promise<Frame | undefined> {
    for (;;) {
      const frame = this.#ready.shift();
      if (frame !== undefined) return frame;
      const chunk = await this.#reader.readSome();
      if (chunk === undefined) {
        this.#frames.end();
        return undefined;
      }
      this.#ready.push(...this.#frames.push(chunk));
    }
  }

  /** Tells the peer that nobody reads on, and makes `next` end. */
  cancel(): void {
    this.#reader.cancel();
  }
}
