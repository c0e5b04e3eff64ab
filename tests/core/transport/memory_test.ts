import { deepEqual, equal, throws } from "node:assert/strict";
import { MAX_FRAME_BYTES, SOCKET_HIGH_WATER_BYTES } from "../../../core/protocol/limits.ts";
import type { Connection } from "../../../core/session/connection.ts";
import { memoryPipe } from "../../../core/transport/memory.ts";
import { settle } from "../../support/settle.ts";

/** Everything that one end hears, as text. */
function listen(connection: Connection): string[] {
  const events: string[] = [];
  connection.start({
    onFrame: (frame) => events.push(`frame ${frame.length}`),
    onDrain: () => events.push("drain"),
    onClose: ({ code, message }) => events.push(`close ${code}: ${message}`),
  });
  return events;
}

const frame = (length: number) => new Uint8Array(length);

Deno.test("memoryPipe() delivers in order, never within send(), and holds frames until start()", async () => {
  const { a, b } = memoryPipe();
  a.send(frame(1));
  await settle();
  const atB = listen(b);
  a.send(frame(2));
  deepEqual(atB, []);
  await settle();
  deepEqual([atB, a.buffered], [["frame 1", "frame 2"], 0]);
});

Deno.test("memoryPipe() hands over to a second handler within a frame", async () => {
  const { a, b } = memoryPipe();
  let second: string[] = [];
  b.start({ onFrame: () => second = listen(b), onDrain: () => {}, onClose: () => {} });
  a.send(frame(1));
  a.send(frame(2));
  await settle();
  deepEqual(second, ["frame 2"]);
});

Deno.test("memoryPipe() gives each end frames of its own", async () => {
  const { a, b } = memoryPipe();
  const sent = frame(1);
  a.send(sent);
  b.start({ onFrame: (received) => received.fill(9), onDrain: () => {}, onClose: () => {} });
  await settle();
  equal(sent[0], 0);
});

Deno.test("close() arrives behind the frames that were sent before, once, at both ends", async () => {
  const { a, b } = memoryPipe();
  const [atA, atB] = [listen(a), listen(b)];
  a.send(frame(1));
  b.send(frame(2));
  a.close("not_found", "no such thing");
  a.close("internal", "again");
  a.send(frame(3));
  await settle();
  deepEqual(atB, ["frame 1", "close not_found: no such thing"]);
  deepEqual(atA, ["close not_found: no such thing"]);
});

Deno.test("cut() loses what is under way and ends both sides", async () => {
  const { a, b, cut } = memoryPipe();
  const [atA, atB] = [listen(a), listen(b)];
  a.send(frame(1));
  cut();
  cut();
  await settle();
  const close = "close unavailable: connection was cut";
  deepEqual([atA, atB, a.buffered], [[close], [close], 0]);
  deepEqual(await Promise.resolve(listen(a)).then(async (late) => (await settle(), late)), [close]);
});

Deno.test("stall() holds frames and closes back until it is over, and the sender sees them waiting", async () => {
  const { a, b, stall } = memoryPipe();
  const [atA, atB] = [listen(a), listen(b)];
  stall(true);
  for (let sent = 0; sent < SOCKET_HIGH_WATER_BYTES; sent += MAX_FRAME_BYTES) a.send(frame(MAX_FRAME_BYTES));
  await settle();
  deepEqual([atB, a.buffered], [[], 2 * MAX_FRAME_BYTES]);
  stall(false);
  await settle();
  deepEqual([atB.length, atA, a.buffered], [2, ["drain"], 0]);
  stall(true);
  a.close("canceled", "");
  await settle();
  deepEqual([atB.length, atA.at(-1)], [2, "close canceled: connection was closed"]);
  stall(false);
  await settle();
  equal(atB.at(-1), "close canceled: connection was closed");
});

Deno.test("a frame above the limit is a mistake of the program", () => {
  throws(() => memoryPipe().a.send(frame(MAX_FRAME_BYTES + 1)), RangeError);
});
