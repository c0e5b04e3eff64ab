import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import fc from "fast-check";
import { WasimoffError } from "../../../core/errors.ts";
import {
  INITIAL_CREDIT_BYTES,
  MAX_EARLY_MESSAGES,
  MAX_PAYLOAD_BYTES,
  REPLAY_LIMIT_BYTES,
  REPLAY_WINDOW_BYTES,
  SOCKET_HIGH_WATER_BYTES,
} from "../../../core/protocol/limits.ts";
import {
  decodeFrame,
  encodeFrame,
  type Frame,
  FRAME_ABORT,
  FRAME_ACK,
  FRAME_CREDIT,
  FRAME_DATA,
  FRAME_END,
  FRAME_GOODBYE,
  FRAME_HELLO,
  FRAME_MESSAGE,
  FRAME_REFUSAL,
  FRAME_STOP,
  FRAME_WELCOME,
} from "../../../core/session/frame.ts";
import { Session } from "../../../core/session/session.ts";
import { memoryPipe } from "../../../core/transport/memory.ts";
import { fakeClock, RawPeer, settleGoodbye } from "../../support/session_pair.ts";
import { settle } from "../../support/settle.ts";

const DONE = new WasimoffError("canceled", "test is over");

/** A session with listeners and live streams, before a peer that says what it likes. */
function besieged() {
  const pipe = memoryPipe();
  const session = new Session({ side: "acceptor", leaseMs: 10_000 });
  session.attach(pipe.a, 0);
  const messages: Uint8Array[] = [];
  session.receiveMessages((body) => messages.push(body));
  const source = session.streams.acceptReceive(2);
  const out = session.streams.acceptSend(4);
  const peer = new RawPeer(pipe.b);
  return { session, peer, pipe, messages, source, out, [Symbol.dispose]: () => session.close(DONE) };
}

const one = Uint8Array.of(1);

/** What each of these gets: the end of the session, told to the peer by a goodbye with the code. */
const VIOLATIONS: Record<string, Frame[] | Uint8Array> = {
  "an empty frame": new Uint8Array(0),
  "an unknown type": Uint8Array.of(0x7f, 1, 2, 3),
  "a truncated frame": encodeFrame({ type: FRAME_ACK, received: 0 }).subarray(0, 5),
  "a second hello": [{ type: FRAME_HELLO, body: one }],
  "a welcome": [{ type: FRAME_WELCOME, body: one }],
  "a refusal": [{ type: FRAME_REFUSAL, body: one }],
  "data that claims to be at 1 GiB": [{ type: FRAME_DATA, stream: 2, offset: 2 ** 30, body: one }],
  "an end after 1 GiB that never came": [{ type: FRAME_END, stream: 2, length: 2 ** 30 }],
  "data beyond the credit": [
    { type: FRAME_DATA, stream: 2, offset: 0, body: new Uint8Array(INITIAL_CREDIT_BYTES) },
    { type: FRAME_DATA, stream: 2, offset: INITIAL_CREDIT_BYTES, body: one },
  ],
  "an acknowledgement of what was never sent": [{ type: FRAME_ACK, received: 1 }],
  "an acknowledgement of 2^53 - 1 frames": [{ type: FRAME_ACK, received: Number.MAX_SAFE_INTEGER }],
};

for (const [what, frames] of Object.entries(VIOLATIONS)) {
  Deno.test(`Session ends with invalid_argument on ${what}`, async () => {
    using siege = besieged();
    const { session, peer, source, out } = siege;
    if (frames instanceof Uint8Array) peer.sendBytes(frames);
    else peer.send(...frames);
    await settle();
    equal(session.signal.reason.code, "invalid_argument");
    deepEqual(peer.of(FRAME_GOODBYE).map(({ code }) => code), ["invalid_argument"]);
    equal(peer.closed?.code, "invalid_argument");
    await rejects(Promise.resolve(out.write(one)), { code: "invalid_argument" });
    while (source.length > 0 && (await source.read().catch(() => null)) !== null);
    await rejects(source.read(), { code: "invalid_argument" });
  });
}

Deno.test("Session takes harmless frames in any order", async () => {
  using siege = besieged();
  const { session, peer, messages, out } = siege;
  peer.send(
    { type: FRAME_CREDIT, stream: 4, limit: Number.MAX_SAFE_INTEGER },
    { type: FRAME_CREDIT, stream: 4, limit: 0 },
    { type: FRAME_STOP, stream: 4, code: "canceled", reason: "" },
    { type: FRAME_STOP, stream: 4, code: "canceled", reason: "again" },
    { type: FRAME_CREDIT, stream: 4, limit: 5 },
    { type: FRAME_ABORT, stream: 2, code: "internal", reason: "" },
    { type: FRAME_END, stream: 2, length: 99 },
    { type: FRAME_DATA, stream: 2, offset: 2 ** 40, body: one },
    { type: FRAME_DATA, stream: 1_000, offset: 2 ** 40, body: one },
    { type: FRAME_ACK, received: 0 },
    { type: FRAME_MESSAGE, body: new Uint8Array(0) },
  );
  await settle();
  await rejects(Promise.resolve(out.write(one)), { code: "canceled" });
  deepEqual([session.signal.aborted, session.received, messages.length], [false, 10, 1]);
});

Deno.test("Session ends by the peer's goodbye and hears nothing after it", async () => {
  using siege = besieged();
  const { session, peer, messages } = siege;
  peer.send(
    { type: FRAME_GOODBYE, code: "permission_denied", reason: "go away" },
    { type: FRAME_MESSAGE, body: one },
  );
  await settleGoodbye();
  deepEqual([session.signal.reason.code, session.signal.reason.message], ["permission_denied", "go away"]);
  deepEqual([messages, peer.of(FRAME_GOODBYE)], [[], []]);
});

Deno.test("Session survives any sequence of frames: it lives on or ends with a WasimoffError", async () => {
  const stream = fc.constantFrom(0, 1, 2, 3, 4, 5);
  const number = fc.constantFrom(0, 1, 2, 65_536, 2 ** 30, Number.MAX_SAFE_INTEGER);
  const body = fc.uint8Array({ minLength: 1, maxLength: 9 });
  const end = { code: fc.constantFrom("internal" as const, "canceled" as const), reason: fc.string() };
  const frame: fc.Arbitrary<Frame> = fc.oneof(
    fc.record({ type: fc.constant(FRAME_MESSAGE), body }),
    fc.record({ type: fc.constant(FRAME_DATA), stream, offset: number, body }),
    fc.record({ type: fc.constant(FRAME_END), stream, length: number }),
    fc.record({ type: fc.constant(FRAME_CREDIT), stream, limit: number }),
    fc.record({ type: fc.constant(FRAME_ABORT), stream, ...end }),
    fc.record({ type: fc.constant(FRAME_STOP), stream, ...end }),
    fc.record({ type: fc.constant(FRAME_ACK), received: fc.constantFrom(0, 0, 0, 1, 2) }),
    fc.record({ type: fc.constantFrom(FRAME_HELLO, FRAME_WELCOME, FRAME_REFUSAL), body }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { maxLength: 20 }), async (frames) => {
      using siege = besieged();
      const { session, peer, source, out } = siege;
      void Promise.resolve(out.write(new Uint8Array(200_000))).catch(() => {});
      peer.send(...frames);
      await settle();
      const read = source.read().then(() => "bytes", (error) => error);
      session.close(DONE);
      ok(session.signal.reason instanceof WasimoffError);
      const result = await read;
      ok(result === "bytes" || result instanceof WasimoffError);
      equal(session.streams.size, 0);
    }),
    { numRuns: 100 },
  );
});

Deno.test("a peer that acknowledges nothing pauses streams at 4 MiB and ends the session at 16 MiB", async () => {
  using clock = fakeClock();
  using siege = besieged();
  const { session, peer, out } = siege;
  peer.send({ type: FRAME_CREDIT, stream: 4, limit: Number.MAX_SAFE_INTEGER });
  await clock.tick(0);
  void Promise.resolve(out.write(new Uint8Array(10_000_000))).catch(() => {});
  for (let i = 0; i < 20; i++) {
    await clock.tick(2_000);
    peer.send({ type: FRAME_ACK, received: 0 }); // it lives, and takes nothing
  }
  const sent = () => peer.frames.reduce((sum, frame) => sum + ("body" in frame ? frame.body.length : 0), 0);
  ok(sent() > REPLAY_WINDOW_BYTES - 100_000 && sent() < REPLAY_WINDOW_BYTES + 100_000, `${sent()}`);
  let messages = 0;
  throws(() => {
    for (;;) {
      session.send(new Uint8Array(MAX_PAYLOAD_BYTES));
      messages++;
    }
  }, { code: "resource_exhausted", message: "peer acknowledges too slowly" });
  const total = sent() + messages * MAX_PAYLOAD_BYTES;
  ok(messages > 150 && total < REPLAY_LIMIT_BYTES, `${messages} messages`);
  await clock.tick(0);
  equal(session.signal.reason.code, "resource_exhausted");
  equal(peer.of(FRAME_GOODBYE)[0]?.code, "resource_exhausted");
});

Deno.test("a flood of tiny frames that nobody acknowledges is bounded by what holding them costs", () => {
  using siege = besieged();
  const { session } = siege;
  let messages = 0;
  throws(() => {
    for (;; messages++) session.send(one);
  }, { code: "resource_exhausted" });
  ok(messages > 60_000 && messages < 66_000, `${messages}`);
});

Deno.test("an acknowledgement of frames that wait behind a full socket is a violation, not a crash", async () => {
  const session = new Session({ side: "acceptor", leaseMs: 10_000 });
  for (let i = 0; i < 20; i++) session.send(new Uint8Array(MAX_PAYLOAD_BYTES));
  const pipe = memoryPipe();
  pipe.stall(true);
  session.attach(pipe.a, 0);
  ok(pipe.a.buffered < 400_000);
  const peer = new RawPeer(pipe.b);
  peer.send({ type: FRAME_ACK, received: 20 });
  pipe.stall(false);
  await settle();
  equal(session.signal.reason.message, "peer cannot have received 20 frames");
});

Deno.test("attach() with a count that cannot be ends the session, and canHaveReceived() tells before", async () => {
  const pipe = memoryPipe();
  const session = new Session({ side: "acceptor", leaseMs: 10_000 });
  session.send(one); // not given to anybody yet
  deepEqual([0, 1, -1].map((count) => session.canHaveReceived(count)), [true, false, false]);
  session.attach(pipe.a, 0);
  deepEqual([0, 1, 2].map((count) => session.canHaveReceived(count)), [true, true, false]);
  const next = memoryPipe();
  const peer = new RawPeer(next.b);
  session.attach(next.a, 2);
  await settle();
  equal(session.signal.reason.code, "invalid_argument");
  deepEqual([peer.of(FRAME_GOODBYE).length, peer.closed?.code], [1, "invalid_argument"]);
});

Deno.test("messages before anybody listens are bounded", async () => {
  const pipe = memoryPipe();
  const session = new Session({ side: "acceptor", leaseMs: 10_000 });
  session.attach(pipe.a, 0);
  const peer = new RawPeer(pipe.b);
  for (let i = 0; i < MAX_EARLY_MESSAGES; i++) peer.send({ type: FRAME_MESSAGE, body: one });
  await settle();
  equal(session.signal.aborted, false);
  peer.send({ type: FRAME_MESSAGE, body: one });
  await settle();
  equal(session.signal.reason.code, "resource_exhausted");
});

Deno.test("a listener that throws ends its session only, also on messages that came before it", async () => {
  const broken = () => {
    throw new WasimoffError("invalid_argument", "not a message");
  };
  for (const late of [false, true]) {
    const pipe = memoryPipe();
    const session = new Session({ side: "acceptor", leaseMs: 10_000 });
    session.attach(pipe.a, 0);
    const peer = new RawPeer(pipe.b);
    if (!late) session.receiveMessages(broken);
    peer.send({ type: FRAME_MESSAGE, body: one });
    await settle();
    if (late) session.receiveMessages(broken);
    equal(session.signal.reason.message, "not a message");
  }
});

Deno.test("a peer that sends and never reads gets acknowledgements for 256 KiB, and the one that is due when it reads", async () => {
  const pipe = memoryPipe();
  const session = new Session({ side: "acceptor", leaseMs: 10_000 });
  session.receiveMessages(() => {});
  let buffered = SOCKET_HIGH_WATER_BYTES;
  let drained = () => {};
  const sent: Frame[] = [];
  session.attach({
    send: (frame) => void sent.push(decodeFrame(frame)),
    get buffered() {
      return buffered;
    },
    start: (handler) => {
      drained = () => handler.onDrain();
      pipe.a.start(handler);
    },
    close: (code, reason) => pipe.a.close(code, reason),
  }, 0);
  const frame = encodeFrame({ type: FRAME_MESSAGE, body: one });
  for (let i = 0; i < 1_000; i++) pipe.b.send(frame);
  await settle();
  deepEqual([session.received, sent.length], [1_000, 0]);
  buffered = 0;
  drained();
  deepEqual(sent, [{ type: FRAME_ACK, received: 1_000 }]);
  session.close(DONE);
});
