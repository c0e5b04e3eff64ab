import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import { MAX_CREDIT_BYTES, MAX_STREAMS, SESSION_CREDIT_BYTES } from "../../../core/protocol/limits.ts";
import {
  type Frame,
  FRAME_ABORT,
  FRAME_CREDIT,
  FRAME_DATA,
  FRAME_END,
  FRAME_STOP,
} from "../../../core/session/frame.ts";
import { type Side, StreamTable } from "../../../core/session/stream_table.ts";

const GONE = new WasimoffError("canceled", "gone");

function table(side: Side = "dialer") {
  const sent: Frame[] = [];
  const table = new StreamTable(side, {
    send: (frame) => sent.push(frame),
    wake: () => {},
    release: () => {},
  });
  const drain = () => {
    const frames = [];
    for (let frame = table.nextFrame(); frame !== null; frame = table.nextFrame()) frames.push(frame);
    return frames;
  };
  return { table, sent, drain };
}

Deno.test("StreamTable gives dialers even ids from 2 and acceptors odd ids from 1, whatever the direction", () => {
  const { table: dialer } = table("dialer");
  deepEqual([dialer.openSend().id, dialer.openReceive().id, dialer.openSend().id], [2, 4, 6]);
  const { table: acceptor } = table("acceptor");
  deepEqual([acceptor.openReceive().id, acceptor.openSend().id], [1, 3]);
});

Deno.test("StreamTable accepts the peer's ids only, each once while it lives", () => {
  const { table: dialer } = table("dialer");
  for (const id of [0, 2, 1.5, -1, 2 ** 32 + 1]) {
    throws(() => dialer.acceptReceive(id), { code: "invalid_argument" });
    throws(() => dialer.acceptSend(id), { code: "invalid_argument" });
  }
  dialer.acceptReceive(5);
  throws(() => dialer.acceptReceive(5), { code: "invalid_argument" });
  throws(() => dialer.acceptSend(5), { code: "invalid_argument" });
  dialer.handle({ type: FRAME_END, stream: 5, length: 0 });
  equal(dialer.acceptSend(5).id, 5);
});

Deno.test("StreamTable holds MAX_STREAMS streams of both directions and refuses one more", () => {
  const { table: streams } = table();
  const first = streams.openSend();
  for (let i = 1; i < MAX_STREAMS; i++) streams.openReceive();
  equal(streams.size, MAX_STREAMS);
  throws(() => streams.openSend(), { code: "resource_exhausted" });
  throws(() => streams.acceptReceive(1), { code: "resource_exhausted" });
  first.dropUnused();
  equal(streams.acceptReceive(1).id, 1);
});

Deno.test("StreamTable ignores frames of streams that are not live", () => {
  const { table: streams, sent } = table();
  for (const stream of [0, 1, 2, 0xffff_ffff]) {
    streams.handle({ type: FRAME_DATA, stream, offset: 2 ** 50, body: new Uint8Array(1) });
    streams.handle({ type: FRAME_END, stream, length: 7 });
    streams.handle({ type: FRAME_ABORT, stream, code: "internal", reason: "" });
    streams.handle({ type: FRAME_CREDIT, stream, limit: 2 ** 50 });
    streams.handle({ type: FRAME_STOP, stream, code: "internal", reason: "" });
  }
  deepEqual([streams.size, sent], [0, []]);
});

Deno.test("StreamTable ignores frames for the wrong direction of a stream", async () => {
  const { table: streams, drain } = table();
  const out = streams.openSend();
  const source = streams.openReceive();
  streams.handle({ type: FRAME_ABORT, stream: out.id, code: "internal", reason: "" });
  streams.handle({ type: FRAME_STOP, stream: source.id, code: "internal", reason: "" });
  out.write(Uint8Array.of(1));
  equal(drain().length, 1);
  streams.handle({ type: FRAME_END, stream: source.id, length: 0 });
  equal(await source.read(), null);
});

Deno.test("StreamTable.nextFrame() lets streams send in turn, one frame each", () => {
  const { table: streams, drain } = table();
  const outs = [streams.openSend(), streams.openSend(), streams.openSend()];
  for (const out of outs) {
    out.allow(MAX_CREDIT_BYTES);
    out.write(new Uint8Array(out.id === 4 ? 200_000 : 100_000));
  }
  deepEqual(drain().map((frame) => (frame as { stream: number }).stream), [2, 4, 6, 2, 4, 6, 4, 4]);
});

Deno.test("StreamTable.nextFrame() passes over a stream without credit until it gets some", () => {
  const { table: streams, drain } = table();
  const [first, second] = [streams.openSend(), streams.openSend()];
  first.write(new Uint8Array(65_536 + 1));
  second.write(new Uint8Array(10));
  deepEqual(drain().map((frame) => (frame as { stream: number }).stream), [2, 4]);
  streams.handle({ type: FRAME_CREDIT, stream: 2, limit: 70_000 });
  deepEqual(drain(), [{ type: FRAME_DATA, stream: 2, offset: 65_536, body: new Uint8Array(1) }]);
});

Deno.test("StreamTable moves large streams to lanes and back, and each has its turn", () => {
  const { table: streams, drain } = table();
  const closed = new Set<number>();
  const full = new Set([4]);
  const ids = (next: () => Frame | null) => {
    const all = [];
    for (let frame = next(); frame !== null; frame = next()) all.push((frame as { stream: number }).stream);
    return all;
  };
  const onLanes = () => ids(() => streams.nextLaneFrame());
  streams.useLanes({
    open: (stream) => stream !== 8,
    hasRoom: (stream) => !full.has(stream),
    send: () => {},
    close: (stream) => void closed.add(stream),
  });
  const outs = [2, 4, 6, 8].map(() => streams.openSend());
  for (const out of outs) out.write(new Uint8Array(130_000));
  deepEqual([ids(() => streams.nextFrame()), onLanes()], [[2, 4, 6, 8], []], "the first 64 KiB");
  for (const out of outs) out.allow(MAX_CREDIT_BYTES);
  deepEqual([ids(() => streams.nextFrame()), onLanes()], [[8], [2, 6]]);
  full.clear();
  streams.useLanes(null);
  deepEqual([drain().map((frame) => (frame as { stream: number }).stream), onLanes()], [[4], []]);
});

Deno.test("StreamTable knows whether any stream holds what overtook other bytes", () => {
  const { table: streams } = table();
  const source = streams.openReceive();
  const held = { type: FRAME_DATA, stream: source.id, offset: 5, body: new Uint8Array(1) } as const;
  streams.handle(held, false);
  equal(streams.holding, true);
  streams.handle({ ...held, offset: 0, body: new Uint8Array(5) });
  equal(streams.holding, false);
  streams.handle({ ...held, offset: 9 }, false);
  source.cancel(GONE);
  equal(streams.holding, false);
});

Deno.test("StreamTable shares its credit: what all readers have allowed beyond the first 64 KiB is bounded", async () => {
  const { table: streams, sent } = table();
  const readers = SESSION_CREDIT_BYTES / MAX_CREDIT_BYTES + 3;
  const limit = async () => {
    const source = streams.openReceive();
    streams.handle({ type: FRAME_DATA, stream: source.id, offset: 0, body: new Uint8Array(40_000) });
    await source.read();
    return (sent.at(-1) as { limit: number }).limit;
  };
  const limits = [];
  for (let i = 0; i < readers; i++) limits.push(await limit());
  deepEqual(limits.slice(-4), [40_000 + 1_048_576, 40_000 + 65_536, 40_000 + 65_536, 40_000 + 65_536]);
  streams.handle({ type: FRAME_END, stream: 2, length: 40_000 });
  equal(await limit(), 40_000 + 1_048_576, "the share of an ended stream is free again");
});

Deno.test("StreamTable.fail() ends every stream with the cause and opens no more", async () => {
  const { table: streams, drain, sent } = table();
  const out = streams.openSend();
  const waiting = out.write(new Uint8Array(200_000));
  const source = streams.openReceive();
  const reading = source.read();
  streams.fail(GONE);
  await rejects(Promise.resolve(waiting), GONE);
  await rejects(reading, GONE);
  source.cancel(GONE);
  out.end();
  throws(() => streams.openSend(), GONE);
  throws(() => streams.acceptReceive(1), GONE);
  deepEqual([streams.size, drain(), sent], [0, [], []]);
});
