/** Puts together what a guest has written in small pieces. */

import { joinChunks } from "../join_chunks.ts";
import { FRAME, type Frame } from "./slot_protocol.ts";

/**
 * Frames as they came, but those of one output that follow each other as one: each costs its reader a write, 40 us at
 * a pipe, and guests write line by line.
 */
export function joinOutput(frames: readonly Frame[]): readonly Frame[] {
  const joined: Frame[] = [];
  for (let first = 0, next = 1; first < frames.length; first = next++) {
    const frame = frames[first]!;
    if (frame.type === FRAME.STDOUT || frame.type === FRAME.STDERR) {
      while (frames[next]?.type === frame.type) next++;
    }
    const payloads = () => frames.slice(first, next).map(({ payload }) => payload);
    joined.push(next - first === 1 ? frame : { type: frame.type, payload: joinChunks(payloads()) });
  }
  return joined;
}
