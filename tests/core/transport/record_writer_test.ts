import { deepEqual, equal } from "node:assert/strict";
import type { WasimoffError } from "../../../core/errors.ts";
import { SOCKET_LOW_WATER_BYTES } from "../../../core/protocol/limits.ts";
import { RECORD_HEADER_BYTES } from "../../../core/transport/record.ts";
import { RecordWriter } from "../../../core/transport/record_writer.ts";
import { settle } from "../../support/settle.ts";

/** A writer whose stream takes a write when the test says so. */
function slow() {
  const events: string[] = [];
  const writes: { bytes: Uint8Array; done: PromiseWithResolvers<void> }[] = [];
  const writer = new RecordWriter({
    drained: () => events.push("drained"),
    failed: ({ code }: WasimoffError) => events.push(`failed ${code}`),
  });
  const stream = new WritableStream<Uint8Array>({
    write: (bytes) => {
      const done = Promise.withResolvers<void>();
      writes.push({ bytes, done });
      return done.promise;
    },
    close: () => void events.push("closed"),
    abort: () => void events.push("aborted"),
  });
  const take = async () => {
    writes.shift()!.done.resolve();
    await settle();
  };
  return { writer, stream, events, writes, take };
}

const frame = (length: number) => new Uint8Array(length).fill(7);
const record = (length: number) => RECORD_HEADER_BYTES + length;

Deno.test("RecordWriter writes the first frame at once and what comes meanwhile together, at most 256 KiB", async () => {
  const { writer, stream, writes, take } = slow();
  writer.open(stream);
  await settle();
  writer.send(frame(10), 1);
  for (let i = 0; i < 5; i++) writer.send(frame(65_536), 0);
  await settle();
  deepEqual(writes.map(({ bytes }) => bytes.length), [record(10)]);
  await take();
  deepEqual(writes.map(({ bytes }) => bytes.length), [3 * record(65_536)]);
  await take();
  deepEqual(writes.map(({ bytes }) => bytes.length), [2 * record(65_536)]);
  equal(writer.buffered, 2 * record(65_536));
  await take();
  equal(writer.buffered, 0);
});

Deno.test("RecordWriter holds frames until there is a stream, and tells when little waits again", async () => {
  const { writer, stream, events, take } = slow();
  writer.send(frame(SOCKET_LOW_WATER_BYTES), 1);
  equal(writer.buffered, record(SOCKET_LOW_WATER_BYTES));
  writer.open(stream);
  await settle();
  deepEqual(events, []);
  await take();
  deepEqual(events, ["drained"]);
  writer.send(frame(10), 1);
  await settle();
  await take();
  deepEqual(events, ["drained"], "little waited");
});

Deno.test("RecordWriter.end() ends the stream behind what was sent and takes nothing more", async () => {
  const { writer, stream, events, writes, take } = slow();
  writer.open(stream);
  await settle();
  writer.send(frame(1), 1);
  writer.send(frame(2), 2);
  let ended = false;
  void writer.end().then(() => ended = true);
  writer.send(frame(3), 3);
  await settle();
  await take();
  deepEqual([writes.map(({ bytes }) => bytes.length), events, ended], [[record(2)], [], false]);
  await take();
  deepEqual([events, ended], [["closed"], true]);
  await writer.end();
});

Deno.test("RecordWriter tells once when its stream breaks, and its end resolves", async () => {
  const { writer, stream, events, writes } = slow();
  writer.open(stream);
  await settle();
  writer.send(frame(1), 1);
  const ended = writer.end();
  await settle();
  writes.shift()!.done.reject(new Error("peer has stopped"));
  await ended;
  writer.send(frame(2), 2);
  await settle();
  deepEqual([events, writes], [["failed unavailable"], []]);
});

Deno.test("RecordWriter.abandon() gives back what was not written, also before there is a stream", async () => {
  const { writer, stream, events } = slow();
  writer.send(frame(1), 5);
  writer.send(frame(2), 6);
  deepEqual(writer.abandon(), [[frame(1), 5], [frame(2), 6]]);
  writer.open(stream);
  await settle();
  deepEqual(events, ["aborted"]);
});
