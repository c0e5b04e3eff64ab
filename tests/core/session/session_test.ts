import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import { MAX_PAYLOAD_BYTES, SOCKET_HIGH_WATER_BYTES } from "../../../core/protocol/limits.ts";
import {
  FRAME_ACK,
  FRAME_CREDIT,
  FRAME_DATA,
  FRAME_END,
  FRAME_GOODBYE,
  FRAME_MESSAGE,
} from "../../../core/session/frame.ts";
import { Session } from "../../../core/session/session.ts";
import { memoryPipe } from "../../../core/transport/memory.ts";
import { fakeClock, RawPeer, SessionPair, settleGoodbye } from "../../support/session_pair.ts";
import { settle } from "../../support/settle.ts";

const DONE = new WasimoffError("canceled", "done");
const text = (message: string) => new TextEncoder().encode(message);

/** A session and a peer that is no session. */
function withRawPeer(leaseMs = 10_000) {
  const pipe = memoryPipe();
  const session = new Session({ side: "dialer", leaseMs });
  session.attach(pipe.a, 0);
  const peer = new RawPeer(pipe.b);
  return { session, peer, pipe, [Symbol.dispose]: () => session.close(DONE) };
}

Deno.test("Session delivers messages both ways in order, also those that came before anybody listened", async () => {
  using pair = new SessionPair();
  pair.dialer.send(text("one"));
  pair.dialer.send(text("two"));
  await settle();
  const heard: string[] = [];
  pair.acceptor.receiveMessages((body) => heard.push(new TextDecoder().decode(body)));
  deepEqual(heard, ["one", "two"]);
  pair.dialer.send(text("three"));
  pair.dialer.receiveMessages((body) => heard.push(new TextDecoder().decode(body)));
  pair.acceptor.send(text("four"));
  await settle();
  deepEqual(heard, ["one", "two", "three", "four"]);
  deepEqual([pair.dialer.received, pair.acceptor.received], [1, 3]);
});

Deno.test("Session.send() refuses a message above 64 KiB and goes on", async () => {
  using pair = new SessionPair();
  let heard = 0;
  pair.acceptor.receiveMessages((body) => heard = body.length);
  throws(() => pair.dialer.send(new Uint8Array(MAX_PAYLOAD_BYTES + 1)), { code: "out_of_range" });
  pair.dialer.send(new Uint8Array(MAX_PAYLOAD_BYTES));
  await settle();
  equal(heard, MAX_PAYLOAD_BYTES);
});

Deno.test("Session.close() ends the other side with the same code and reason", async () => {
  using pair = new SessionPair();
  pair.dialer.close(new WasimoffError("resource_exhausted", "have enough"));
  await settleGoodbye();
  const { code, message } = pair.acceptor.signal.reason;
  deepEqual([code, message], ["resource_exhausted", "have enough"]);
  throws(() => pair.acceptor.send(text("late")), { message: "have enough" });
});

Deno.test("a session lives through its lease and ends with it, on both sides, with the cause for every waiter", async () => {
  using clock = fakeClock();
  using pair = new SessionPair(10_000);
  const out = pair.dialer.streams.openSend();
  const write = rejects(Promise.resolve(out.write(new Uint8Array(300_000))), { code: "unavailable" });
  const read = rejects(pair.acceptor.streams.openReceive().read(), { code: "unavailable" });
  for (let i = 0; i < 70; i++) pair.dialer.send(new Uint8Array(MAX_PAYLOAD_BYTES));
  equal(pair.dialer.congested, true);
  const writable = rejects(pair.dialer.writable(), { code: "unavailable" });
  pair.pipe.cut();
  await clock.tick(9_999);
  deepEqual([pair.dialer.signal.aborted, pair.acceptor.signal.aborted], [false, false]);
  await clock.tick(1);
  await Promise.all([write, read, writable]);
  for (const { signal } of [pair.dialer, pair.acceptor]) {
    equal(signal.reason.message, "peer has been away for 10 s");
  }
  await rejects(pair.dialer.writable(), { code: "unavailable" });
});

Deno.test("a session that was never connected ends with its lease", async () => {
  using clock = fakeClock();
  const session = new Session({ side: "acceptor", leaseMs: 500 });
  await clock.tick(500);
  equal(session.signal.reason.code, "unavailable");
});

Deno.test("a lease beyond what a timer can wait does not end at once", async () => {
  using clock = fakeClock();
  const session = new Session({ side: "dialer", leaseMs: 0xffff_ffff });
  await clock.tick(100_000);
  equal(session.signal.aborted, false);
  session.close(DONE);
});

Deno.test("two idle sessions keep each other alive by heartbeats", async () => {
  using clock = fakeClock();
  using pair = new SessionPair();
  const events: string[] = [];
  pair.dialer.watch({ suspected: () => events.push("suspected"), detached: () => events.push("detached") });
  await clock.tick(120_000);
  deepEqual([events, pair.dialer.connected, pair.acceptor.connected], [[], true, true]);
});

Deno.test("a stalled peer is suspected after 5 s, trusted when it speaks, dropped after 10 s, dead after its lease", async () => {
  using clock = fakeClock();
  using pair = new SessionPair(10_000);
  const events: string[] = [];
  for (const who of ["first", "second"]) {
    pair.acceptor.watch({
      suspected: (suspect) => events.push(`${who} ${suspect}`),
      detached: ({ code }) => events.push(`${who} ${code}`),
    });
  }
  pair.pipe.stall(true);
  await clock.tick(5_000);
  deepEqual(events.splice(0), ["first true", "second true"]);
  pair.pipe.stall(false);
  await clock.tick(0);
  deepEqual(events.splice(0), ["first false", "second false"]);
  pair.pipe.stall(true);
  await clock.tick(10_000);
  deepEqual(events.splice(0), ["first true", "second true", "first unavailable", "second unavailable"]);
  equal(pair.acceptor.connected, false);
  await clock.tick(9_999);
  equal(pair.acceptor.signal.aborted, false);
  await clock.tick(1);
  equal(pair.acceptor.signal.aborted, true);
});

Deno.test("a new connection replaces one that is half open; late frames of the old one are ignored", async () => {
  using pair = new SessionPair();
  const heard: string[] = [];
  pair.acceptor.receiveMessages((body) => heard.push(new TextDecoder().decode(body)));
  let detached = 0;
  pair.acceptor.watch({ detached: () => detached++ });
  pair.pipe.stall(true);
  pair.dialer.send(text("lost with the first, carried by the second"));
  const old = pair.pipe;
  const fresh = memoryPipe();
  pair.acceptor.attach(fresh.b, pair.dialer.received);
  pair.dialer.attach(fresh.a, pair.acceptor.received);
  old.stall(false);
  await settle();
  deepEqual([heard, detached], [["lost with the first, carried by the second"], 0]);
  fresh.cut();
  await settle();
  equal(detached, 1);
});

Deno.test("a resumed session wakes those who waited for room as soon as the peer says what it received", async () => {
  using clock = fakeClock();
  using pair = new SessionPair();
  pair.acceptor.receiveMessages(() => {});
  for (let i = 0; i < 70; i++) pair.dialer.send(new Uint8Array(MAX_PAYLOAD_BYTES));
  let room = false;
  void pair.dialer.writable().then(() => room = true);
  equal(pair.dialer.congested, true);
  const { dialer } = pair;
  dialer.watch({ detached: () => {} });
  // Everything arrives, but its acknowledgements are lost with the connection.
  const lost = pair.pipe;
  lost.b.send = () => {};
  await settle();
  deepEqual([pair.acceptor.received, room], [70, false]);
  pair.connect();
  await settle();
  deepEqual([dialer.congested, room], [false, true]);
  void clock;
});

Deno.test("what is sent while a long replay waits for the socket comes after it", async () => {
  using pair = new SessionPair();
  const heard: number[] = [];
  pair.acceptor.receiveMessages((body) => heard.push(body[0]!));
  pair.pipe.stall(true);
  for (let i = 0; i < 20; i++) pair.dialer.send(new Uint8Array(MAX_PAYLOAD_BYTES).fill(i));
  pair.connect((pipe) => pipe.stall(true));
  ok(pair.pipe.a.buffered < 20 * MAX_PAYLOAD_BYTES, "the replay has to wait");
  pair.dialer.send(Uint8Array.of(20));
  pair.pipe.stall(false);
  await settle();
  deepEqual(heard, Array.from({ length: 21 }, (_, i) => i));
});

Deno.test("Session keeps at most about 256 KiB of streams in the socket", async () => {
  using raw = withRawPeer();
  const { session, pipe } = raw;
  pipe.stall(true);
  for (let i = 0; i < 20; i++) {
    const out = session.streams.openSend();
    out.allow(1_000_000);
    void Promise.resolve(out.write(new Uint8Array(500_000))).catch(() => {});
  }
  ok(pipe.a.buffered >= SOCKET_HIGH_WATER_BYTES && pipe.a.buffered < SOCKET_HIGH_WATER_BYTES + 66_000);
  session.send(text("a message goes at once"));
  await settle();
  ok(pipe.a.buffered < SOCKET_HIGH_WATER_BYTES + 67_000);
});

Deno.test("a message overtakes a large stream: at most 192 KiB are before it", async () => {
  using raw = withRawPeer();
  const { session, peer, pipe } = raw;
  const out = session.streams.openSend();
  out.allow(100_000_000);
  pipe.stall(true);
  void Promise.resolve(out.write(new Uint8Array(3_000_000))).catch(() => {});
  session.send(text("urgent"));
  pipe.stall(false);
  await settle();
  const before = peer.frames.findIndex(({ type }) => type === FRAME_MESSAGE);
  ok(before >= 2 && before <= 3, `${before} frames before it`);
  equal(peer.of(FRAME_DATA).length, Math.ceil(3_000_000 / 65_536));
});

Deno.test("Session acknowledges after 256 frames, after 128 KiB and with each heartbeat", async () => {
  using clock = fakeClock();
  using raw = withRawPeer();
  const { session, peer } = raw;
  session.receiveMessages(() => {});
  for (let i = 0; i < 255; i++) peer.send({ type: FRAME_MESSAGE, body: text("x") });
  await clock.tick(0);
  deepEqual(peer.of(FRAME_ACK), []);
  peer.send({ type: FRAME_MESSAGE, body: text("x") });
  for (let i = 0; i < 2; i++) peer.send({ type: FRAME_MESSAGE, body: new Uint8Array(MAX_PAYLOAD_BYTES) });
  peer.send({ type: FRAME_MESSAGE, body: text("x") });
  await clock.tick(0);
  deepEqual(peer.of(FRAME_ACK).map(({ received }) => received), [256, 258]);
  await clock.tick(3_000);
  deepEqual(peer.of(FRAME_ACK).map(({ received }) => received), [256, 258, 259]);
});

Deno.test("Session.close() says goodbye behind what was sent before", async () => {
  using raw = withRawPeer();
  raw.session.send(text("last words"));
  raw.session.close(DONE);
  await settle();
  deepEqual(raw.peer.frames.map(({ type }) => type), [FRAME_MESSAGE, FRAME_GOODBYE]);
  equal(raw.peer.closed?.code, "canceled");
});

Deno.test("Session.left resolves when the last connection has closed, or at once without one", async () => {
  using raw = withRawPeer();
  let left = false;
  void raw.session.left.then(() => left = true);
  raw.pipe.stall(true);
  raw.session.close(DONE);
  await settle();
  equal(left, true);
  for (const end of ["close", "goodbye", "impossible", "lease"] as const) {
    using clock = fakeClock();
    using pair = new SessionPair(500);
    if (end === "close") pair.dialer.close(DONE);
    if (end === "goodbye") pair.acceptor.close(DONE);
    if (end === "impossible") pair.dialer.attach(memoryPipe().a, 7);
    if (end === "lease") pair.pipe.cut();
    await clock.tick(500);
    equal(pair.dialer.signal.aborted, true, end);
    await pair.dialer.left;
  }
});

Deno.test("Session.flushed tells whether a goodbye would come behind everything that was given before", async () => {
  using raw = withRawPeer();
  const { session, peer } = raw;
  equal(session.flushed, true);
  const out = session.streams.openSend();
  await Promise.resolve(out.write(new Uint8Array(70_000))); // 64 KiB may go at once
  out.end();
  await settle();
  equal(session.flushed, false);
  peer.send({ type: FRAME_CREDIT, stream: out.id, limit: 100_000 });
  await settle();
  equal(session.flushed, true);
  equal(peer.of(FRAME_DATA).at(-1)!.offset, 65_536);
  equal(peer.of(FRAME_END).length, 1);

  raw.pipe.cut();
  await settle();
  session.send(text("nobody hears it"));
  equal(session.flushed, false);
});
