import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import fc from "fast-check";
import { MAX_FRAME_BYTES } from "../../../core/protocol/limits.ts";
import { readRecordHeader, RECORD_HEADER_BYTES, writeRecord } from "../../../core/transport/record.ts";
import { RecordReader } from "../../../core/transport/record_reader.ts";

/** Records one after another as bytes. */
function records(...frames: readonly (readonly [Uint8Array, number])[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(frames.reduce((sum, [{ length }]) => sum + RECORD_HEADER_BYTES + length, 0));
  let offset = 0;
  for (const [frame, number] of frames) offset = writeRecord(bytes, offset, frame, number);
  return bytes;
}

/** A stream that gives these pieces; `reads` counts how often it was asked, with room for how much. */
function streamOf(pieces: readonly Uint8Array<ArrayBuffer>[], byob: boolean) {
  const left = pieces.map((piece) => piece.slice()); // a stream takes its chunks away
  const rooms: number[] = [];
  let canceled = false;
  const cancel = () => void (canceled = true);
  const readable: ReadableStream<Uint8Array> = byob
    ? new ReadableStream({
      type: "bytes",
      pull: (controller) => {
        rooms.push(controller.byobRequest?.view?.byteLength ?? 0);
        const piece = left.shift();
        if (piece !== undefined) return controller.enqueue(piece);
        controller.close();
        controller.byobRequest?.respond(0);
      },
      cancel,
    })
    : new ReadableStream<Uint8Array>({
      pull: (controller) => {
        const piece = left.shift();
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
      cancel,
    });
  return { readable, rooms, canceled: () => canceled };
}

async function readAll(readable: ReadableStream<Uint8Array>): Promise<[Uint8Array, number][]> {
  const all: [Uint8Array, number][] = [];
  await new RecordReader(readable).run((frame, number) => all.push([frame, number]));
  return all;
}

const pattern = (length: number, from: number) => Uint8Array.from({ length }, (_, i) => (from + i) % 251);

Deno.test("a record is the length, the number and the frame, big-endian", () => {
  const bytes = records([Uint8Array.of(0xaa, 0xbb), 2 ** 32 + 7]);
  equal(bytes.toHex(), "00000002" + "0000000100000007" + "aabb");
  deepEqual(readRecordHeader(bytes, 0), { length: 2, number: 2 ** 32 + 7 });
});

Deno.test("a record above the largest frame, or a number above 2^53, is refused by its header", () => {
  const bytes = new Uint8Array(RECORD_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAX_FRAME_BYTES + 1);
  throws(() => readRecordHeader(bytes, 0), { code: "out_of_range" });
  view.setUint32(0, MAX_FRAME_BYTES);
  equal(readRecordHeader(bytes, 0).length, MAX_FRAME_BYTES);
  view.setUint32(4, 2 ** 21);
  throws(() => readRecordHeader(bytes, 0), { code: "invalid_argument" });
});

Deno.test("RecordReader gives every frame unharmed, for any sizes and pieces, and those it gave stay valid", async () => {
  const size = fc.oneof(fc.nat(100), fc.nat(10_000), fc.nat(MAX_FRAME_BYTES));
  const sizes = fc.array(size, { maxLength: 12 });
  const cuts = fc.array(fc.oneof(fc.nat(20), fc.nat(100_000)), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(sizes, cuts, fc.boolean(), async (sizes, cuts, byob) => {
      const frames = sizes.map((size, i) => [pattern(size, i), i * 1_000] as const);
      let bytes = records(...frames);
      const pieces = [];
      for (const cut of cuts) {
        if (cut > 0 && cut < bytes.length) pieces.push(bytes.slice(0, cut));
        if (cut < bytes.length) bytes = bytes.slice(cut);
      }
      if (bytes.length > 0) pieces.push(bytes);
      deepEqual(await readAll(streamOf(pieces, byob).readable), frames);
    }),
    { numRuns: 60 },
  );
});

Deno.test("RecordReader needs little for small frames, grows for large ones and shrinks again", async () => {
  const small = Array.from({ length: 40 }, (_, i) => records([pattern(50, i), 0]));
  const large = Array.from({ length: 40 }, (_, i) => records([pattern(60_000, i), 0]));
  const joined = new Uint8Array(await new Blob(large).arrayBuffer());
  const { readable, rooms } = streamOf([...small, joined, ...small], true);
  await readAll(readable);
  ok(rooms.slice(0, 40).every((room) => room <= 2_048), `${rooms.slice(0, 40)}`);
  ok(rooms.slice(-5).every((room) => room <= 2_048), `${rooms.slice(-5)}`);
});

Deno.test("a small frame that is kept does not keep a large buffer", async () => {
  const bytes = records(...Array.from({ length: 1_000 }, () => [pattern(100, 0), 0] as const));
  for (const [frame] of await readAll(streamOf([bytes], true).readable)) {
    equal(frame.buffer.byteLength, 100);
  }
});

Deno.test("RecordReader refuses a stream that ends within a frame or holds what is none, and stops reading it", async () => {
  const good = records([pattern(10, 0), 1]);
  const endless = new Uint8Array(RECORD_HEADER_BYTES).fill(0xff);
  for (const byob of [true, false]) {
    for (const cut of [1, RECORD_HEADER_BYTES, good.length - 1]) {
      await rejects(readAll(streamOf([good, good.slice(0, cut)], byob).readable), { code: "unavailable" });
    }
    const stream = streamOf([good, endless, good, good], byob);
    await rejects(readAll(stream.readable), { code: "out_of_range" });
    equal(stream.canceled(), true);
  }
});

Deno.test("RecordReader rejects with unavailable when its stream breaks, and ends when it is canceled", async () => {
  const broken = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new Error("connection was lost")),
  });
  await rejects(readAll(broken), { code: "unavailable", message: "connection was lost" });
  const reader = new RecordReader(new ReadableStream({ type: "bytes" }));
  const run = reader.run(() => {});
  reader.cancel(new Error("enough") as never);
  await run;
});

Deno.test("RecordReader survives any bytes: frames, or a WasimoffError", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 })), async (pieces) => {
      const copies = pieces.map((piece) => new Uint8Array(piece));
      const end = await readAll(streamOf(copies, true).readable).then(() => "end", (error) => error.name);
      ok(end === "end" || end === "WasimoffError");
    }),
    { numRuns: 100 },
  );
});
