import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import { MAX_FRAME_BYTES, MAX_LANES, SOCKET_LOW_WATER_BYTES } from "../../../core/protocol/limits.ts";
import type { Connection } from "../../../core/session/connection.ts";
import { RECORD_HEADER_BYTES, writeRecord } from "../../../core/transport/record.ts";
import { openWebTransportConnection } from "../../../core/transport/webtransport_connection.ts";
import { ConnectionRecorder } from "../../support/connection_recorder.ts";
import { fakeClock } from "../../support/session_pair.ts";
import { settle } from "../../support/settle.ts";
import { TransportPair, type TransportPairOptions } from "../../support/transport_pair.ts";

const frame = (...bytes: number[]) => Uint8Array.from(bytes);

/** Hears lanes, too. */
class LaneRecorder extends ConnectionRecorder {
  readonly laneFrames: (readonly [Uint8Array, number])[] = [];
  readonly numbers: (number | undefined)[] = [];

  override onFrame(frame: Uint8Array, number?: number): void {
    super.onFrame(frame);
    this.numbers.push(number);
  }

  onLaneFrame(frame: Uint8Array, number: number): void {
    this.laneFrames.push([frame, number]);
  }
}

/** Two connections; `heard` is what the acceptor hears. */
async function joined(options: TransportPairOptions = {}) {
  const pair = new TransportPair(options);
  const [dialer, acceptor] = await Promise.all([
    openWebTransportConnection(pair.a, "dialer"),
    openWebTransportConnection(pair.b, "acceptor"),
  ]);
  const [heard, answered] = [new LaneRecorder(), new LaneRecorder()];
  dialer.start(answered);
  acceptor.start(heard);
  return { pair, dialer, acceptor, heard, answered, [Symbol.dispose]: () => pair.cut() };
}

function record(frame: Uint8Array, number = 0): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEADER_BYTES + frame.length);
  writeRecord(bytes, 0, frame, number);
  return bytes;
}

/** Bytes of a hostile peer on a stream of its own. */
async function onStream(pair: TransportPair, ...chunks: Uint8Array[]) {
  const writer = (await pair.a.createUnidirectionalStream()).getWriter();
  for (const chunk of chunks) await writer.write(chunk);
  return writer;
}

Deno.test("frames arrive in order with their numbers, whether the stream takes buffers or not", async () => {
  for (const byob of [true, false]) {
    using wire = await joined({ byob, cut: (bytes) => Math.min(bytes, 7) });
    const { dialer, acceptor, heard, answered } = wire;
    dialer.send(frame(1));
    dialer.send(frame(2, 2), 2 ** 40);
    acceptor.send(frame(3, 3, 3), 1);
    await settle();
    deepEqual([heard.frames, heard.numbers], [[frame(1), frame(2, 2)], [0, 2 ** 40]]);
    deepEqual([answered.frames, answered.numbers], [[frame(3, 3, 3)], [1]]);
  }
});

Deno.test("a lane is a stream of its own that ends when it is closed", async () => {
  using wire = await joined();
  const { dialer, heard, pair } = wire;
  const lanes = dialer.lanes!;
  equal(lanes.open(2), true);
  lanes.send(2, frame(9), 7);
  await settle();
  deepEqual([heard.laneFrames, heard.frames, pair.opened], [[[frame(9), 7]], [], 1]);
  lanes.close(2);
  await settle();
  for (let id = 0; id < 10 * MAX_LANES; id++) {
    equal(lanes.open(id), true);
    lanes.send(id, frame(1), id);
    lanes.close(id);
    await settle();
  }
  equal(heard.laneFrames.length, 1 + 10 * MAX_LANES);
});

Deno.test("lanes are read when a handler wants them, and not before", async () => {
  const pair = new TransportPair();
  const dialer = await openWebTransportConnection(pair.a, "dialer");
  const acceptor = await openWebTransportConnection(pair.b, "acceptor");
  acceptor.start(new ConnectionRecorder());
  dialer.start(new ConnectionRecorder());
  acceptor.lanes!.open(2);
  acceptor.lanes!.send(2, frame(1), 1);
  await settle();
  const heard = new LaneRecorder();
  dialer.start(heard);
  await settle();
  deepEqual(heard.laneFrames, [[frame(1), 1]]);
  pair.cut();
});

Deno.test("a peer that opens what it may not is sent away before it is read", async () => {
  const tooEarly = new TransportPair();
  const opening = openWebTransportConnection(tooEarly.b, "acceptor");
  await onStream(tooEarly, frame(1));
  const early = {
    code: "invalid_argument",
    message: "peer opened a lane before its hello was accepted",
  } as const;
  await rejects(opening, early);
  equal(tooEarly.b.closedWith?.closeCode, 1002);

  const second = "peer opened a second bidirectional stream";
  for (const what of [early.message, second]) {
    const pair = new TransportPair();
    await openWebTransportConnection(pair.a, "dialer");
    const acceptor = await openWebTransportConnection(pair.b, "acceptor");
    const heard = new ConnectionRecorder();
    acceptor.start(heard);
    await (what === second ? pair.a.createBidirectionalStream() : onStream(pair, frame(1)));
    equal((await heard.closed).message, what);
    pair.cut();
  }
});

Deno.test("`buffered` counts what the transport has not taken, and onDrain tells when little is left", async () => {
  using wire = await joined();
  const { dialer, answered, pair } = wire;
  pair.stalled = true;
  dialer.send(new Uint8Array(SOCKET_LOW_WATER_BYTES));
  await settle();
  deepEqual([dialer.buffered, answered.drains], [SOCKET_LOW_WATER_BYTES + RECORD_HEADER_BYTES, 0]);
  pair.resume();
  await settle();
  deepEqual([dialer.buffered, answered.drains], [0, 1]);
});

Deno.test("close() arrives behind what was sent, and both ends hear it once", async () => {
  using wire = await joined();
  const { dialer, heard, answered, pair } = wire;
  dialer.lanes!.open(2);
  dialer.lanes!.send(2, new Uint8Array(100), 1);
  dialer.send(frame(1));
  dialer.close("canceled", "enough");
  dialer.close("internal", "twice");
  dialer.send(frame(2));
  equal((await answered.closed).message, "enough");
  const { code, message } = await heard.closed;
  deepEqual([code, message], ["unavailable", "peer closed the connection"]);
  deepEqual([heard.frames, heard.laneFrames.length], [[frame(1)], 1]);
  equal(pair.b.closedWith?.closeCode, 1001);
});

Deno.test("close() waits 2 s for a peer that does not answer, then ends the session with code and reason", async () => {
  using clock = fakeClock();
  using wire = await joined();
  const { dialer, pair, answered } = wire;
  pair.stalled = true;
  dialer.close("resource_exhausted", "x".repeat(5_000));
  const told = () => [pair.a.closedWith?.closeCode, pair.a.closedWith?.reason?.length];
  await clock.tick(1_999);
  deepEqual(told(), [undefined, undefined]);
  await clock.tick(1);
  deepEqual(told(), [1013, 1_024]);
  equal((await answered.closed).code, "resource_exhausted");
});

Deno.test("a session that is closed or lost ends the connection with what it said, also before anybody listens", async () => {
  for (const listens of [true, false]) {
    for (const info of [{ closeCode: 4403, reason: "not you" }, null]) {
      const pair = new TransportPair();
      const dialer = await openWebTransportConnection(pair.a, "dialer");
      const heard = new ConnectionRecorder();
      if (listens) dialer.start(heard);
      pair.end(info);
      await settle();
      if (!listens) dialer.start(heard);
      const { code, message } = await heard.closed;
      const text = info === null ? "connection was lost" : "peer closed the connection with 4403: not you";
      deepEqual([code, message], ["unavailable", text]);
    }
  }
});

const GARBAGE: Record<string, (pair: TransportPair) => Promise<unknown>> = {
  "a lane with a frame above the largest": (pair) =>
    onStream(pair, record(new Uint8Array(MAX_FRAME_BYTES + 1)).slice(0, RECORD_HEADER_BYTES)),
  "a lane with an endless frame": (pair) => onStream(pair, new Uint8Array(RECORD_HEADER_BYTES).fill(0xff)),
  "a lane that ends within a frame": async (pair) =>
    void (await onStream(pair, record(frame(1, 2, 3)).slice(0, -1))).close(),
  "a lane that is aborted within a frame": async (pair) =>
    void (await onStream(pair, record(frame(1, 2, 3)).slice(0, 5))).abort(),
};

for (const [what, send] of Object.entries(GARBAGE)) {
  Deno.test(`${what} ends the connection and the session`, async () => {
    using wire = await joined();
    await send(wire.pair);
    const { code } = await wire.heard.closed;
    ok(code === "out_of_range" || code === "unavailable");
    ok(wire.pair.b.closedWith !== undefined);
  });
}

Deno.test("a peer that stops reading a lane, or the first stream, ends the connection", async () => {
  for (const onLane of [true, false]) {
    const pair = new TransportPair();
    const stream = pair.b.incomingBidirectionalStreams.getReader().read();
    const dialer = await openWebTransportConnection(pair.a, "dialer");
    const heard = new ConnectionRecorder();
    dialer.start(heard);
    if (onLane) {
      dialer.lanes!.open(2);
      dialer.lanes!.send(2, frame(1), 1);
      const { value } = await pair.b.incomingUnidirectionalStreams.getReader().read();
      await value!.cancel("no");
      dialer.lanes!.send(2, frame(2), 2);
    } else {
      await (await stream).value!.readable.cancel("no");
      dialer.send(frame(1));
    }
    equal((await heard.closed).code, "unavailable");
  }
});

Deno.test("of 1,000 lanes 64 are read at a time, the others when those have ended", async () => {
  using wire = await joined();
  const { pair, heard } = wire;
  const writers = [];
  for (let i = 0; i < 1_000; i++) writers.push(await onStream(pair, record(frame(1), i)));
  await settle();
  equal(heard.laneFrames.length, MAX_LANES);
  for (const writer of writers) await writer.close();
  while (heard.laneFrames.length < 1_000) await settle();
  deepEqual(heard.laneFrames.map(([, number]) => number), Array.from({ length: 1_000 }, (_, i) => i));
});

Deno.test("what a transport has no stream for goes over the first stream, with its number", async () => {
  using wire = await joined({ maxStreams: 1 });
  const { dialer, heard } = wire;
  const lanes = dialer.lanes!;
  lanes.open(2);
  lanes.open(4);
  lanes.send(4, frame(4), 44);
  await settle();
  deepEqual([heard.laneFrames, heard.frames, heard.numbers], [[], [frame(4)], [44]]);
  deepEqual([lanes.open(2), lanes.open(6)], [true, false]);
});

Deno.test("openWebTransportConnection() gives up a peer that opens no stream within 5 s, or leaves", async () => {
  using clock = fakeClock();
  const silent = new TransportPair();
  const late = rejects(openWebTransportConnection(silent.b, "acceptor"), { code: "deadline_exceeded" });
  await clock.tick(5_000);
  await late;
  equal(silent.b.closedWith?.closeCode, 1011);
  const gone = new TransportPair();
  const opening: Promise<Connection> = openWebTransportConnection(gone.b, "acceptor");
  gone.a.close();
  await rejects(opening, (error) => error instanceof WasimoffError && error.code === "unavailable");
});
