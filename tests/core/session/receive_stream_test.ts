import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import fc from "fast-check";
import { WasimoffError } from "../../../core/errors.ts";
import { INITIAL_CREDIT_BYTES, MAX_CREDIT_BYTES } from "../../../core/protocol/limits.ts";
import { type Frame, FRAME_CREDIT, FRAME_STOP } from "../../../core/session/frame.ts";
import { ReceiveStream } from "../../../core/session/receive_stream.ts";

const KIB = 1024;
const GONE = new WasimoffError("canceled", "nobody reads");

/** A stream whose frames to the peer are kept, with so much credit to share. */
function stream(shared = MAX_CREDIT_BYTES) {
  const frames: Frame[] = [];
  const state = { shared, forgotten: 0, holds: false, done: [] as number[] };
  const stream = new ReceiveStream(7, {
    send: (frame) => frames.push(frame),
    reserve: (bytes) => bytes <= state.shared && (state.shared -= bytes, true),
    release: (bytes) => void (state.shared += bytes),
    done: (chunk) => void state.done.push(chunk.length),
    held: (_, holds) => state.holds = holds,
    forget: () => state.forgotten++,
  });
  return { stream, frames, state };
}

const bytes = (length: number, from = 0) => Uint8Array.from({ length }, (_, i) => (from + i) % 251);

Deno.test("ReceiveStream gives the bytes in order, then null again and again", async () => {
  const { stream: source, state } = stream();
  const early = source.read();
  source.data(0, bytes(3));
  source.data(3, bytes(2, 3));
  source.ended(5);
  deepEqual(await early, bytes(3));
  deepEqual([await source.read(), await source.read(), await source.read()], [bytes(2, 3), null, null]);
  deepEqual([source.length, state.forgotten], [5, 1]);
});

Deno.test("ReceiveStream wakes a waiting reader by the end or by the cause of an abort", async () => {
  const { stream: ended } = stream();
  const end = ended.read();
  ended.ended(0);
  equal(await end, null);
  const { stream: failed } = stream();
  const failure = rejects(failed.read(), GONE);
  failed.fail(GONE);
  await failure;
  await rejects(failed.read(), GONE);
});

Deno.test("ReceiveStream gives what came before an abort, then its cause", async () => {
  const { stream: source } = stream();
  source.data(0, bytes(4));
  source.fail(GONE);
  deepEqual(await source.read(), bytes(4));
  await rejects(source.read(), GONE);
});

Deno.test("ReceiveStream refuses gaps, repeated data, data beyond its credit and a wrong end", () => {
  const { stream: source } = stream();
  source.data(0, bytes(10));
  for (const offset of [0, 9, 11, 2 ** 30, Number.MAX_SAFE_INTEGER]) {
    throws(() => source.data(offset, bytes(1)), { code: "invalid_argument" });
  }
  throws(() => source.data(10, new Uint8Array(INITIAL_CREDIT_BYTES - 9)), { code: "invalid_argument" });
  for (const length of [0, 9, 11, 2 ** 30]) throws(() => source.ended(length), { code: "invalid_argument" });
  source.data(10, new Uint8Array(INITIAL_CREDIT_BYTES - 10));
  source.ended(INITIAL_CREDIT_BYTES);
});

Deno.test("ReceiveStream holds what overtook other bytes, and its end, until they come", async () => {
  const { stream: source, state } = stream();
  source.ended(9, false);
  source.data(5, bytes(4, 5), false);
  const early = source.read();
  source.data(0, bytes(3));
  deepEqual([await early, state.holds, state.forgotten], [bytes(3), true, 0]);
  source.data(3, bytes(2, 3), false);
  deepEqual([await source.read(), await source.read()], [bytes(6, 3), null]);
  equal(state.forgotten, 1);
});

Deno.test("ReceiveStream says that it holds nothing any more when what was missing has come", () => {
  const { stream: source, state } = stream();
  source.data(3, bytes(1, 3), false);
  equal(state.holds, true);
  source.data(0, bytes(3));
  deepEqual([state.holds, source.length], [false, 4]);
});

Deno.test("ReceiveStream refuses what contradicts itself ahead of missing bytes", () => {
  const held = () => {
    const { stream: source } = stream();
    source.data(10, bytes(5), false);
    source.ended(20, false);
    return source;
  };
  const violations: ((source: ReceiveStream) => void)[] = [
    (source) => source.data(10, bytes(5), false),
    (source) => source.data(18, bytes(3), false),
    (source) => source.ended(20, false),
    (source) => source.ended(0, false),
    (source) => source.data(0, bytes(20)), // covers what is held
  ];
  for (const violate of violations) throws(() => violate(held()), { code: "invalid_argument" });
  const { stream: source } = stream();
  source.data(0, bytes(10));
  for (const length of [9, INITIAL_CREDIT_BYTES + 1]) {
    throws(() => source.ended(length, false), { code: "invalid_argument" });
  }
  throws(() => source.data(INITIAL_CREDIT_BYTES, bytes(1), false), { code: "invalid_argument" });
});

Deno.test("ReceiveStream holds no more than its credit, however the peer overlaps what is ahead", () => {
  const { stream: source } = stream();
  const half = INITIAL_CREDIT_BYTES / 2;
  source.data(1, bytes(half), false);
  source.data(half, bytes(half - 1), false);
  source.data(2, bytes(1), false);
  throws(() => source.data(3, bytes(1), false), { code: "invalid_argument", message: /that overlaps$/ });
});

Deno.test("ReceiveStream drops what it holds with a cancel, and an abort leaves what was in order", async () => {
  for (const finish of ["cancel", "fail"] as const) {
    const { stream: source, state } = stream();
    source.data(0, bytes(2));
    source.data(5, bytes(2), false);
    source[finish](GONE);
    source.data(2, bytes(3), false);
    equal(state.forgotten, 1);
    if (finish === "fail") deepEqual(await source.read(), bytes(2));
    await rejects(source.read(), GONE);
  }
});

Deno.test("ReceiveStream puts any order of pieces right", async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 6_000 }), { maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.infiniteStream(fc.nat()), async (sizes, order) => {
      const { stream: source } = stream();
      let length = 0;
      const steps = sizes.map((size) => {
        const offset = length;
        length += size;
        return () => source.data(offset, bytes(size, offset), false);
      });
      steps.push(() => source.ended(length, false));
      while (steps.length > 0) steps.splice(order.next().value! % steps.length, 1)[0]!();
      let read = 0;
      for (let chunk = await source.read(); chunk !== null; chunk = await source.read()) {
        deepEqual(chunk, bytes(chunk.length, read));
        read += chunk.length;
      }
      equal(read, length);
    }),
    { numRuns: 30 },
  );
});

Deno.test("ReceiveStream gives no credit for what nobody reads, nor for a short stream", async () => {
  const { stream: source, frames } = stream();
  source.data(0, new Uint8Array(INITIAL_CREDIT_BYTES));
  deepEqual(frames, []);
  const { stream: short, frames: none } = stream();
  short.data(0, new Uint8Array(INITIAL_CREDIT_BYTES / 2 - 1));
  await short.read();
  deepEqual(none, []);
});

Deno.test("ReceiveStream allows 1 MiB beyond what was read while the session has credit, 64 KiB when not", async () => {
  for (
    const [shared, window] of [[MAX_CREDIT_BYTES, MAX_CREDIT_BYTES], [10, INITIAL_CREDIT_BYTES]] as const
  ) {
    const { stream: source, frames, state } = stream(shared);
    source.data(0, new Uint8Array(40 * KIB));
    await source.read();
    deepEqual(frames, [{ type: FRAME_CREDIT, stream: 7, limit: 40 * KIB + window }]);
    source.data(40 * KIB, new Uint8Array(20 * KIB));
    await source.read();
    equal(frames.length, 1, "less than half a window was read since");
    source.ended(60 * KIB);
    equal(state.shared, shared, "what was reserved is given back");
  }
});

Deno.test("ReceiveStream.cancel() tells the peer once, drops what came and ignores what still comes", async () => {
  const { stream: source, frames, state } = stream();
  source.data(0, bytes(3));
  source.cancel(GONE);
  source.cancel(GONE);
  source.data(3, bytes(3));
  source.ended(6);
  deepEqual(frames, [{ type: FRAME_STOP, stream: 7, code: "canceled", reason: "nobody reads" }]);
  equal(state.forgotten, 1);
  await rejects(source.read(), GONE);
});

Deno.test("ReceiveStream.cancel() after the end is silent, but dropped bytes do not look like a proper end", async () => {
  const { stream: source, frames } = stream();
  source.data(0, bytes(3));
  source.ended(3);
  source.cancel(GONE);
  await rejects(source.read(), GONE);
  const { stream: read } = stream();
  read.ended(0);
  read.cancel(GONE);
  equal(await read.read(), null);
  deepEqual(frames, []);
});

Deno.test("ReceiveStream.endUnused() ends a stream without bytes and fails one whose peer has lied", async () => {
  const { stream: unused } = stream();
  unused.endUnused();
  equal(await unused.read(), null);
  const { stream: used } = stream();
  used.data(0, bytes(2));
  used.endUnused();
  deepEqual(await used.read(), bytes(2));
  await rejects(used.read(), { code: "invalid_argument" });
});

Deno.test("ReceiveStream.read() refuses a second reader", () => {
  const { stream: source } = stream();
  void source.read();
  throws(() => void source.read(), TypeError);
});

Deno.test("ReceiveStream joins tiny chunks that wait, so that their number costs nothing", async () => {
  const { stream: source } = stream();
  for (let i = 0; i < 10_000; i++) source.data(i, bytes(1, i));
  const chunks = [];
  for (let left = 10_000; left > 0; left -= chunks.at(-1)!.length) chunks.push((await source.read())!);
  deepEqual(chunks.map(({ length }) => length), [4096, 4096, 1808]);
  deepEqual(chunks[2], bytes(1808, 8192));
});

Deno.test("ReceiveStream keeps every byte, and those it gave stay valid, for any sizes and reads", async () => {
  const steps = fc.array(fc.oneof(fc.constant("read" as const), fc.nat(40), fc.nat(9_000)), {
    maxLength: 60,
  });
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      const { stream: source } = stream();
      let sent = 0;
      let read = 0;
      const given: Uint8Array[] = [];
      const take = async () => {
        given.push((await source.read())!);
        read += given.at(-1)!.length;
      };
      for (const step of steps) {
        if (step === "read") {
          if (read < sent) await take();
        } else if (step > 0 && sent - read + step <= INITIAL_CREDIT_BYTES / 2) {
          source.data(sent, bytes(step, sent));
          sent += step;
        }
      }
      while (read < sent) await take();
      let offset = 0;
      for (const chunk of given) {
        deepEqual(chunk, bytes(chunk.length, offset));
        offset += chunk.length;
      }
      equal(offset, sent);
    }),
    { numRuns: 30 },
  );
});

Deno.test("ReceiveStream tells of bytes that it has copied, and of those that its reader has released", async () => {
  const { stream: source, state } = stream();
  source.data(0, bytes(5_000));
  source.data(5_000, bytes(10));
  source.data(5_010, bytes(20));
  deepEqual(state.done, [10, 20]);
  source.release((await source.read())!);
  deepEqual(state.done, [10, 20, 5_000]);
});
