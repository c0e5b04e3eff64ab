import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import fc from "fast-check";
import { WasimoffError } from "../../../core/errors.ts";
import { INITIAL_CREDIT_BYTES, MAX_PAYLOAD_BYTES } from "../../../core/protocol/limits.ts";
import { type Frame, FRAME_ABORT, FRAME_DATA, FRAME_END } from "../../../core/session/frame.ts";
import { SendStream } from "../../../core/session/send_stream.ts";
import { settle } from "../../support/settle.ts";

const KIB = 1024;
const GONE = new WasimoffError("canceled", "nobody reads");

/** A stream whose frames the test takes when it likes. */
function stream() {
  let forgotten = 0;
  const sent: Frame[] = [];
  const stream: SendStream = new SendStream(2, {
    send: (frame) => sent.push(frame),
    schedule: () => {},
    forget: () => forgotten++,
  });
  const frames = (): Frame[] => {
    const taken = sent.splice(0);
    while (stream.ready) taken.push(stream.nextFrame());
    return taken;
  };
  return { stream, frames, forgotten: () => forgotten };
}

const shape = (frames: readonly Frame[]) =>
  frames.map((frame) => frame.type === FRAME_DATA ? [frame.offset, frame.body.length] : frame);

Deno.test("SendStream cuts a large chunk into frames of 64 KiB within its credit, then ends with its length", () => {
  const { stream: out, frames, forgotten } = stream();
  out.allow(1_000 * KIB);
  out.write(new Uint8Array(150 * KIB));
  out.end();
  deepEqual(shape(frames()), [
    [0, 64 * KIB],
    [64 * KIB, 64 * KIB],
    [128 * KIB, 22 * KIB],
    { type: FRAME_END, stream: 2, length: 150 * KIB },
  ]);
  deepEqual([forgotten(), out.ready, out.length], [1, false, 150 * KIB]);
});

Deno.test("SendStream sends nothing beyond its credit, which no late frame takes back", () => {
  const { stream: out, frames } = stream();
  out.write(new Uint8Array(80 * KIB));
  out.end();
  deepEqual(shape(frames()), [[0, 64 * KIB]]);
  out.allow(64 * KIB + 10);
  out.allow(5);
  deepEqual(shape(frames()), [[64 * KIB, 10]]);
  out.allow(80 * KIB);
  deepEqual(shape(frames()), [[64 * KIB + 10, 16 * KIB - 10], {
    type: FRAME_END,
    stream: 2,
    length: 80 * KIB,
  }]);
});

Deno.test("SendStream joins small chunks that wait into one frame", () => {
  const { stream: out, frames } = stream();
  for (let i = 0; i < 1_000; i++) out.write(Uint8Array.of(i & 255));
  const [frame, ...others] = frames();
  equal(others.length, 0);
  deepEqual(frame, {
    type: FRAME_DATA,
    stream: 2,
    offset: 0,
    body: Uint8Array.from({ length: 1_000 }, (_, i) => i & 255),
  });
});

Deno.test("SendStream.write() waits while more than 64 KiB are unsent", async () => {
  const { stream: out } = stream();
  equal(out.write(new Uint8Array(64 * KIB)), undefined);
  let resolved = 0;
  const waits = [out.write(new Uint8Array(64 * KIB)), out.write(Uint8Array.of(1))];
  for (const wait of waits) void wait!.then(() => resolved++);
  out.nextFrame();
  await settle();
  equal(resolved, 0, "64 KiB and 1 byte wait");
  out.allow(1_000 * KIB);
  out.nextFrame();
  await settle();
  equal(resolved, 2);
});

Deno.test("SendStream.abort() drops what waits, wakes the writer and says ABORT once", async () => {
  const { stream: out, frames, forgotten } = stream();
  const wait = out.write(new Uint8Array(100 * KIB));
  out.abort(GONE);
  out.abort(new WasimoffError("internal", "second"));
  out.end();
  await rejects(Promise.resolve(wait), GONE);
  await rejects(Promise.resolve(out.write(Uint8Array.of(1))), GONE);
  deepEqual(frames(), [{ type: FRAME_ABORT, stream: 2, code: "canceled", reason: "nobody reads" }]);
  equal(forgotten(), 1);
});

Deno.test("SendStream rejects writes after the peer's STOP and is closed by its owner's end or abort", async () => {
  for (const finish of ["end", "abort"] as const) {
    const { stream: out, frames, forgotten } = stream();
    const wait = out.write(new Uint8Array(100 * KIB));
    out.stopped(GONE);
    await rejects(Promise.resolve(wait), GONE);
    await rejects(Promise.resolve(out.write(Uint8Array.of(1))), GONE);
    deepEqual([frames(), forgotten()], [[], 0]);
    if (finish === "end") out.end();
    else out.abort(GONE);
    deepEqual([frames(), forgotten()], [[], 1]);
  }
});

Deno.test("SendStream that is stopped while its end waits for credit is closed at once", () => {
  const { stream: out, frames, forgotten } = stream();
  out.write(new Uint8Array(100 * KIB));
  out.end();
  frames();
  out.stopped(GONE);
  deepEqual([frames(), forgotten()], [[], 1]);
});

Deno.test("SendStream does nothing on an abort after its end", () => {
  const { stream: out, frames } = stream();
  out.end();
  out.abort(GONE);
  deepEqual(frames(), [{ type: FRAME_END, stream: 2, length: 0 }]);
  throws(() => out.write(Uint8Array.of(1)), TypeError);
});

Deno.test("SendStream.dropUnused() says nothing, and refuses a stream that was used", () => {
  const { stream: out, frames, forgotten } = stream();
  out.dropUnused();
  deepEqual([frames(), forgotten()], [[], 1]);
  const { stream: used } = stream();
  used.write(Uint8Array.of(1));
  throws(() => used.dropUnused(), TypeError);
});

Deno.test("SendStream keeps every byte in order, within the credit, whatever is written and allowed", () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ write: fc.oneof(fc.nat(50), fc.nat(100 * KIB)) }),
      fc.record({ allow: fc.nat(400 * KIB) }),
      fc.record({ take: fc.nat(3) }),
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(steps, (steps) => {
      const { stream: out } = stream();
      let credit = INITIAL_CREDIT_BYTES;
      let written = 0;
      let sent = 0;
      const take = (max: number) => {
        for (let i = 0; i < max && out.ready; i++) {
          const frame = out.nextFrame();
          if (frame.type !== FRAME_DATA) return frame;
          equal(frame.offset, sent);
          for (const byte of frame.body) equal(byte, sent++ % 251);
          equal(frame.body.length > 0 && frame.body.length <= MAX_PAYLOAD_BYTES && sent <= credit, true);
        }
      };
      for (const step of steps) {
        if ("write" in step) void out.write(Uint8Array.from({ length: step.write }, () => written++ % 251));
        else if ("allow" in step) out.allow(credit = Math.max(credit, step.allow));
        else take(step.take);
      }
      out.allow(credit = Number.MAX_SAFE_INTEGER);
      out.end();
      deepEqual(take(Infinity), { type: FRAME_END, stream: 2, length: written });
      equal(sent, written);
    }),
    { numRuns: 20 },
  );
});

Deno.test("SendStream says with the last frame of a chunk that it needs no longer, and never of one that it joins", () => {
  const { stream: out, frames } = stream();
  out.allow(1_000 * KIB);
  const done: string[] = [];
  void out.write(new Uint8Array(100 * KIB), () => done.push("split"));
  void out.write(new Uint8Array(40 * KIB), () => done.push("alone"));
  void out.write(new Uint8Array(10 * KIB), () => done.push("joined"));
  void out.write(new Uint8Array(10 * KIB), () => done.push("joined"));
  const sent = frames();
  deepEqual(shape(sent), [
    [0, 64 * KIB],
    [64 * KIB, 36 * KIB],
    [100 * KIB, 40 * KIB],
    [140 * KIB, 20 * KIB],
  ]);
  deepEqual(sent.map((frame) => frame.type === FRAME_DATA && frame.done !== undefined), [
    false,
    true,
    true,
    false,
  ]);
  for (const frame of sent) if (frame.type === FRAME_DATA) frame.done?.();
  deepEqual(done, ["split", "alone"]);
});
