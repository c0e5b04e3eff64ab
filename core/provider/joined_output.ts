/** Puts together what a guest has written in small pieces. */

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
    joined.push(
      next - first === 1 ? frame : { type: frame.type, payload: concat(frames.slice(first, next)) },
    );
  }
  return joined;
}

function concat(frames: readonly Frame[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(frames.reduce((sum, { payload }) => sum + payload.length, 0));
  let at = 0;
  for (const { payload } of frames) {
    whole.set(payload, at);
    at += payload.length;
  }
  return whole;
}
