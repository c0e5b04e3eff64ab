import { deepEqual, equal, ok } from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import {
  INITIAL_CREDIT_BYTES,
  LANES_WINDOW_BYTES,
  MAX_PAYLOAD_BYTES,
  REPLAY_WINDOW_BYTES,
} from "../../../core/protocol/limits.ts";
import {
  encodeFrame,
  FRAME_ABORT,
  FRAME_ACK,
  FRAME_CREDIT,
  FRAME_DATA,
  FRAME_END,
  FRAME_GOODBYE,
  FRAME_MESSAGE,
  FRAME_STOP,
} from "../../../core/session/frame.ts";
import type { ReceiveStream } from "../../../core/session/receive_stream.ts";
import { memoryPipe } from "../../../core/transport/memory.ts";
import { data, LanedWire, onLanes } from "../../support/laned_wire.ts";
import { fakeClock, RawPeer, settleGoodbye } from "../../support/session_pair.ts";
import { settle } from "../../support/settle.ts";

const DONE = new WasimoffError("canceled", "test is over");
const KIB = 1024;
const one = Uint8Array.of(1);

/** Everything of a stream, which must be what `data` makes. */
async function lengthOf(source: ReceiveStream): Promise<number> {
  let offset = 0;
  for (let chunk = await source.read(); chunk !== null; chunk = await source.read()) {
    for (const byte of chunk) equal(byte, offset++ % 251);
  }
  return offset;
}

/** A stream of ours that may send, and has sent, its first 64 KiB. */
function largeStream({ wire, session }: ReturnType<typeof onLanes>, id = 2) {
  const out = session.streams.acceptSend(id);
  void Promise.resolve(out.write(new Uint8Array(INITIAL_CREDIT_BYTES))).catch(() => {});
  out.allow(100_000_000);
  return { out, sent: () => wire.sent.filter(({ frame }) => "stream" in frame && frame.stream === id) };
}

Deno.test("a stream's first 64 KiB and messages share the first stream, the rest and its end have a lane", () => {
  using laned = onLanes();
  const { wire, session } = laned;
  const { out, sent } = largeStream(laned);
  session.send(one);
  void out.write(new Uint8Array(100 * KIB));
  out.end();
  deepEqual(sent().map(({ frame, number, lane }) => [frame.type, number, lane]), [
    [FRAME_DATA, 1, 0],
    [FRAME_DATA, 3, 2],
    [FRAME_DATA, 4, 2],
    [FRAME_END, 5, 2],
  ]);
  deepEqual([wire.sent[1]!.number, wire.sent[1]!.lane, wire.openLanes.size], [2, 0, 0]);
});

Deno.test("a short stream never opens a lane, not even with much credit", () => {
  using laned = onLanes();
  const { out } = largeStream(laned);
  out.end();
  deepEqual(laned.wire.sent.map(({ lane }) => lane), [0, 0]);
});

Deno.test("streams beyond the last lane go on in the first stream", () => {
  using laned = onLanes();
  laned.wire.maxLanes = 1;
  const streams = [2, 4].map((id) => largeStream(laned, id));
  for (const { out } of streams) void out.write(new Uint8Array(10 * KIB));
  deepEqual(streams.map(({ sent }) => sent().at(-1)!.lane), [2, 0]);
});

Deno.test("a full lane keeps its stream waiting and nobody else; a drained one goes on", () => {
  using laned = onLanes();
  const { wire, session } = laned;
  const { out, sent } = largeStream(laned);
  wire.laneHasRoom = false;
  void Promise.resolve(out.write(new Uint8Array(200 * KIB))).catch(() => {});
  const other = session.streams.acceptSend(4);
  void other.write(one);
  session.send(one);
  deepEqual([sent().length, wire.sent.length], [1, 3]);
  wire.laneHasRoom = true;
  wire.handler.onDrain();
  equal(sent().length, 5);
});

Deno.test("a full first stream does not keep lanes waiting", () => {
  using laned = onLanes();
  const { out, sent } = largeStream(laned);
  laned.wire.buffered = 1_000_000;
  void out.write(new Uint8Array(60 * KIB));
  deepEqual(sent().map(({ lane }) => lane), [0, 2]);
});

Deno.test("lanes stop at 3 MiB unacknowledged, so that requests go on", () => {
  using laned = onLanes();
  const { wire, session } = laned;
  const { out } = largeStream(laned);
  void Promise.resolve(out.write(new Uint8Array(10_000 * KIB))).catch(() => {});
  const bytes = () => wire.of(FRAME_DATA).reduce((sum, { body }) => sum + body.length, 0);
  ok(bytes() > LANES_WINDOW_BYTES - 100 * KIB && bytes() < LANES_WINDOW_BYTES + 100 * KIB, `${bytes()}`);
  equal(session.congested, false);
  for (let i = 0; i < 17; i++) session.send(new Uint8Array(MAX_PAYLOAD_BYTES));
  ok(bytes() + 17 * MAX_PAYLOAD_BYTES > REPLAY_WINDOW_BYTES);
  equal(session.congested, true);
  wire.hear(0, { type: FRAME_ACK, received: 40 });
  ok(bytes() > LANES_WINDOW_BYTES + 1_000 * KIB);
});

Deno.test("ABORT of ours and STOP of the peer free the lane", () => {
  using laned = onLanes();
  const { wire } = laned;
  const [aborted, stopped] = [largeStream(laned, 2), largeStream(laned, 4)];
  for (const { out } of [aborted, stopped]) void out.write(new Uint8Array(10 * KIB));
  equal(wire.openLanes.size, 2);
  aborted.out.abort(DONE);
  deepEqual([[...wire.openLanes], wire.of(FRAME_ABORT).length], [[4], 1]);
  wire.hear(1, { type: FRAME_STOP, stream: 4, code: "canceled", reason: "" });
  equal(wire.openLanes.size, 0);
});

Deno.test("DATA and END that overtake are put in order, acknowledged when nothing is missing, at once after an END", async () => {
  using laned = onLanes();
  const { wire, session } = laned;
  const source = session.streams.acceptReceive(2);
  wire.hear(1, data(2, 0, 40 * KIB));
  const first = lengthOf(source);
  await settle();
  equal(wire.of(FRAME_CREDIT).length, 1);
  wire.hear(4, data(2, 100 * KIB, 10), true);
  wire.hear(5, { type: FRAME_END, stream: 2, length: 100 * KIB + 10 }, true);
  wire.hear(3, data(2, 64 * KIB, 36 * KIB), true);
  deepEqual([session.received, wire.of(FRAME_ACK)], [1, []]);
  wire.hear(2, data(2, 40 * KIB, 24 * KIB));
  equal(await first, 100 * KIB + 10);
  deepEqual([session.received, wire.of(FRAME_ACK)], [5, [{ type: FRAME_ACK, received: 5 }]]);
});

Deno.test("what came ahead before a cut is not taken again on a connection that has no numbers", async () => {
  using laned = onLanes();
  const { wire, session } = laned;
  const heard: number[] = [];
  session.receiveMessages((body) => heard.push(body[0]!));
  for (const number of [1, 3, 4]) wire.hear(number, { type: FRAME_MESSAGE, body: Uint8Array.of(number) });
  wire.handler.onClose(new WasimoffError("unavailable", "cut"));
  equal(session.received, 1);
  const pipe = memoryPipe();
  session.attach(pipe.a, 0);
  const peer = new RawPeer(pipe.b);
  for (const number of [2, 3, 4, 5]) peer.send({ type: FRAME_MESSAGE, body: Uint8Array.of(number) });
  await settle();
  deepEqual([heard, session.received], [[1, 3, 4, 2, 5], 5]);
});

Deno.test("a peer may acknowledge more than its hello said, when it had more ahead", async () => {
  using laned = onLanes();
  const { session, wire } = laned;
  for (let i = 0; i < 20; i++) session.send(new Uint8Array(MAX_PAYLOAD_BYTES).fill(i));
  wire.handler.onClose(new WasimoffError("unavailable", "cut"));
  const pipe = memoryPipe();
  pipe.stall(true);
  session.attach(pipe.a, 5);
  const peer = new RawPeer(pipe.b);
  peer.send({ type: FRAME_ACK, received: 18 });
  pipe.stall(false);
  await settle();
  equal(session.signal.aborted, false);
  deepEqual(peer.of(FRAME_MESSAGE).map(({ body }) => body[0]), [5, 6, 7, 8, 18, 19]);
});

Deno.test("a frame that is missing for 30 s drops the connection, and heartbeats without a gap do not", async () => {
  using clock = fakeClock();
  using laned = onLanes();
  const { wire, session } = laned;
  const lost: string[] = [];
  session.watch({ detached: ({ message }) => lost.push(message) });
  const live = async (seconds: number) => {
    for (let i = 0; i < seconds; i += 3) {
      wire.hear(0, { type: FRAME_ACK, received: 0 });
      await clock.tick(3_000);
    }
  };
  await live(60);
  wire.hear(2, { type: FRAME_MESSAGE, body: one });
  await live(27);
  deepEqual(lost, []);
  await live(9);
  deepEqual([lost, wire.closedWith, session.received], [["frames are missing"], "unavailable", 0]);
});

Deno.test("flushed waits for the acknowledgement of an end that went on a lane", () => {
  using laned = onLanes();
  const { out } = largeStream(laned);
  void out.write(one);
  out.end();
  equal(laned.session.flushed, false);
  laned.wire.hear(0, { type: FRAME_ACK, received: 2 });
  equal(laned.session.flushed, false);
  laned.wire.hear(0, { type: FRAME_ACK, received: 3 });
  equal(laned.session.flushed, true);
});

Deno.test("close() says goodbye when the ends on lanes are acknowledged, and is over at once for its owner", async () => {
  using clock = fakeClock();
  using laned = onLanes();
  const { wire, session } = laned;
  const { out } = largeStream(laned);
  void out.write(one);
  out.end();
  session.close(DONE);
  equal(session.signal.aborted, true);
  wire.hear(0, { type: FRAME_ACK, received: 2 });
  wire.hear(1, { type: FRAME_MESSAGE, body: one });
  deepEqual([wire.of(FRAME_GOODBYE).length, wire.closedWith], [0, null]);
  wire.hear(0, { type: FRAME_ACK, received: 3 });
  deepEqual([wire.of(FRAME_GOODBYE).length, wire.closedWith], [1, "canceled"]);
  await clock.tick(5_000);
  equal(wire.of(FRAME_GOODBYE).length, 1);
});

Deno.test("close() waits 2 s for a peer that acknowledges nothing, less for one that leaves or talks nonsense", async () => {
  for (
    const [answer, limitMs] of [
      [null, 2_000],
      [encodeFrame({ type: FRAME_GOODBYE, code: "canceled", reason: "" }), 0],
      [new Uint8Array(0), 0],
    ] as const
  ) {
    using clock = fakeClock();
    using laned = onLanes();
    const { wire, session } = laned;
    const { out } = largeStream(laned);
    void out.write(one);
    out.end();
    session.close(DONE);
    if (answer !== null) wire.handler.onFrame(answer, 0);
    if (limitMs > 0) {
      await clock.tick(limitMs - 1);
      equal(wire.closedWith, null);
      await clock.tick(1);
      equal(wire.of(FRAME_GOODBYE).length, 1);
    }
    ok(wire.closedWith !== null);
  }
});

Deno.test("a connection that is gone gets no lanes any more", () => {
  using laned = onLanes();
  const { wire } = laned;
  const { out } = largeStream(laned);
  wire.handler.onClose(new WasimoffError("unavailable", "cut"));
  void out.write(new Uint8Array(10 * KIB));
  deepEqual([wire.openLanes.size, wire.sent.length], [0, 1]);
});

Deno.test("a stream that its reader has stopped gets no lane on the next connection", async () => {
  using laned = onLanes();
  const { wire, session } = laned;
  wire.laneHasRoom = false;
  const { out } = largeStream(laned);
  void Promise.resolve(out.write(new Uint8Array(10 * KIB))).catch(() => {});
  wire.hear(1, { type: FRAME_STOP, stream: 2, code: "canceled", reason: "" });
  wire.handler.onClose(new WasimoffError("unavailable", "cut"));
  const next = new LanedWire();
  session.attach(next, 1);
  equal(next.openLanes.size, 0);
  await settleGoodbye();
});

Deno.test("a replay is in order and needs no lanes, for many of its streams are over", async () => {
  using laned = onLanes();
  const { wire, session } = laned;
  const { out } = largeStream(laned);
  void out.write(new Uint8Array(10 * KIB));
  out.end();
  wire.handler.onClose(new WasimoffError("unavailable", "cut"));
  const next = new LanedWire();
  session.attach(next, 1);
  deepEqual(next.sent.map(({ number, lane, frame }) => [number, lane, frame.type]), [
    [2, 0, FRAME_DATA],
    [3, 0, FRAME_END],
  ]);
  equal(next.openLanes.size, 0);
  await settleGoodbye();
});

/** A stream in whose first frames 40 KiB are sent, and how often they were said to be needed no longer. */
function lentStream({ session }: ReturnType<typeof onLanes>) {
  const out = session.streams.openSend();
  const state = { done: 0 };
  void out.write(new Uint8Array(40 * KIB), () => state.done++);
  return state;
}

Deno.test("what was sent is needed no longer when it is acknowledged and has left the socket", () => {
  using laned = onLanes();
  const { wire } = laned;
  const [early, late] = [lentStream(laned), lentStream(laned)];
  wire.hear(0, { type: FRAME_ACK, received: 1 });
  deepEqual([early.done, late.done], [1, 0]);
  wire.buffered = 1;
  wire.hear(0, { type: FRAME_ACK, received: 2 });
  deepEqual([early.done, late.done], [1, 0]);
  wire.buffered = 0;
  wire.hear(0, { type: FRAME_ACK, received: 2 });
  deepEqual([early.done, late.done], [1, 0]);
});

Deno.test("what was sent on two connections is never said to be needed no longer", () => {
  using laned = onLanes();
  const { wire, session } = laned;
  const lent = lentStream(laned);
  wire.handler.onClose(DONE);
  const next = new LanedWire();
  session.attach(next, 0);
  equal(next.of(FRAME_DATA).length, 1);
  next.hear(0, { type: FRAME_ACK, received: 1 });
  equal(lent.done, 0);
  next.handler.onClose(DONE);
});
