import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import fc from "fast-check";
import { WasimoffError } from "../../../core/errors.ts";
import { MAX_FRAMES_AHEAD } from "../../../core/protocol/limits.ts";
import {
  type Frame,
  FRAME_ABORT,
  FRAME_ACK,
  FRAME_CREDIT,
  FRAME_DATA,
  FRAME_END,
  FRAME_GOODBYE,
  FRAME_MESSAGE,
} from "../../../core/session/frame.ts";
import { data, type LanedWire, onLanes } from "../../support/laned_wire.ts";

const DONE = new WasimoffError("canceled", "test is over");
const KIB = 1024;
const one = Uint8Array.of(1);

Deno.test("a frame that came before is dropped, whatever is in it now", () => {
  using laned = onLanes();
  const { wire, session } = laned;
  const heard: number[] = [];
  session.receiveMessages((body) => heard.push(body[0]!));
  wire.hear(2, { type: FRAME_MESSAGE, body: Uint8Array.of(2) });
  wire.hear(2, { type: FRAME_MESSAGE, body: Uint8Array.of(3) });
  wire.hear(1, { type: FRAME_MESSAGE, body: Uint8Array.of(1) });
  wire.hear(1, { type: FRAME_ABORT, stream: 2, code: "internal", reason: "" });
  deepEqual([heard, session.received], [[2, 1], 2]);
});

Deno.test("late DATA for streams that are not live counts and does nothing", () => {
  using laned = onLanes();
  const { wire, session } = laned;
  wire.hear(1, data(2, 64 * KIB, 10), true);
  wire.hear(2, { type: FRAME_END, stream: 900, length: 2 ** 40 }, true);
  deepEqual([session.received, session.signal.aborted], [2, false]);
});

const VIOLATIONS: Record<string, (wire: LanedWire) => void> = {
  "a number far ahead": (wire) => wire.hear(MAX_FRAMES_AHEAD + 2, { type: FRAME_MESSAGE, body: one }),
  "a sequenced frame without a number": (wire) => wire.hear(0, { type: FRAME_MESSAGE, body: one }),
  "a message on a lane": (wire) => wire.hear(1, { type: FRAME_MESSAGE, body: one }, true),
  "an acknowledgement on a lane": (wire) => wire.hear(0, { type: FRAME_ACK, received: 0 }, true),
  "a goodbye on a lane": (wire) => wire.hear(0, { type: FRAME_GOODBYE, code: "internal", reason: "" }, true),
  "the first bytes of a stream on a lane": (wire) => wire.hear(1, data(2, 0, 10), true),
  "the end of a short stream on a lane": (wire) =>
    wire.hear(1, { type: FRAME_END, stream: 2, length: 64 * KIB }, true),
  "garbage on a lane": (wire) => wire.handler.onLaneFrame!(Uint8Array.of(FRAME_DATA, 1, 2), 1),
  "nothing on a lane": (wire) => wire.handler.onLaneFrame!(new Uint8Array(0), 1),
  "a gap in a stream when no frame is missing": (wire) => {
    wire.hear(2, data(2, 10, 10));
    wire.hear(1, { type: FRAME_MESSAGE, body: one });
    wire.hear(3, data(2, 0, 5));
  },
  "data ahead of its credit": (wire) => wire.hear(2, data(2, 64 * KIB, 1), true),
  "the same bytes twice, ahead": (wire) => {
    wire.hear(2, data(2, 10, 10));
    wire.hear(3, data(2, 10, 10));
  },
  "data behind an early end": (wire) => {
    wire.hear(2, { type: FRAME_END, stream: 2, length: 100 });
    wire.hear(3, data(2, 90, 11));
  },
};

for (const [what, hear] of Object.entries(VIOLATIONS)) {
  Deno.test(`a session over lanes ends with invalid_argument on ${what}`, async () => {
    using laned = onLanes();
    const { wire, session } = laned;
    const source = session.streams.acceptReceive(2);
    hear(wire);
    equal(session.signal.reason?.code, "invalid_argument");
    deepEqual([wire.of(FRAME_GOODBYE).length, wire.closedWith], [1, "invalid_argument"]);
    while (source.length > 0 && (await source.read().catch(() => null)) !== null);
    await rejects(source.read(), { code: "invalid_argument" });
  });
}

Deno.test("a session over lanes survives any frames with any numbers: it lives on or ends with a WasimoffError", () => {
  const stream = fc.constantFrom(2, 4, 6);
  const position = fc.constantFrom(0, 1, 5, 65_536, 65_537, 2 ** 40);
  const frame: fc.Arbitrary<Frame> = fc.oneof(
    fc.record({ type: fc.constant(FRAME_MESSAGE), body: fc.constant(one) }),
    fc.record({ type: fc.constant(FRAME_DATA), stream, offset: position, body: fc.constant(one) }),
    fc.record({ type: fc.constant(FRAME_END), stream, length: position }),
    fc.record({ type: fc.constant(FRAME_CREDIT), stream, limit: position }),
    fc.record({ type: fc.constant(FRAME_ACK), received: fc.nat(3) }),
  );
  const step = fc.tuple(fc.oneof(fc.nat(20), fc.nat(100_000)), frame, fc.boolean());
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      using laned = onLanes();
      const { wire, session } = laned;
      session.streams.acceptReceive(2);
      void Promise.resolve(session.streams.acceptSend(4).write(new Uint8Array(100 * KIB))).catch(() => {});
      for (const [number, frame, onLane] of steps) wire.hear(number, frame, onLane);
      session.close(DONE);
      ok(session.signal.reason instanceof WasimoffError);
    }),
    { numRuns: 200 },
  );
});
