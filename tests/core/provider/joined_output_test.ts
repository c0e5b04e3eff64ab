/** Tests of output that is put together. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { joinOutput } from "../../../core/provider/joined_output.ts";
import { FRAME, type Frame, type FrameType } from "../../../core/provider/slot_protocol.ts";

function frame(type: FrameType, text: string): Frame {
  return { type, payload: new TextEncoder().encode(text) };
}

function shown(frames: readonly Frame[]): [number, string][] {
  return frames.map(({ type, payload }) => [type, new TextDecoder().decode(payload)]);
}

Deno.test("joinOutput() joins neighbours of one output, and keeps the order of everything else", () => {
  const { STDOUT, STDERR, CREDIT, ARTIFACTS, DONE } = FRAME;
  const frames = [
    ...[frame(STDOUT, "a"), frame(STDOUT, ""), frame(STDOUT, "b")],
    ...[frame(STDERR, "c"), frame(STDOUT, "d"), frame(STDERR, "e"), frame(STDERR, "f")],
    ...[frame(CREDIT, "1"), frame(CREDIT, "2"), frame(STDERR, "g")],
    ...[frame(ARTIFACTS, "x"), frame(ARTIFACTS, "y"), frame(DONE, "z")],
  ];
  deepStrictEqual(shown(joinOutput(frames)), [
    ...[[STDOUT, "ab"], [STDERR, "c"], [STDOUT, "d"], [STDERR, "ef"]],
    ...[[CREDIT, "1"], [CREDIT, "2"], [STDERR, "g"]],
    ...[[ARTIFACTS, "x"], [ARTIFACTS, "y"], [DONE, "z"]],
  ]);
});

Deno.test("joinOutput() copies nothing that is alone", () => {
  const alone = frame(FRAME.STDOUT, "alone");
  strictEqual(joinOutput([alone])[0], alone);
  deepStrictEqual(joinOutput([]), []);
});
