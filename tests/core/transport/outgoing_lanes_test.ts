import { deepEqual, equal } from "node:assert/strict";
import { MAX_LANES, SOCKET_HIGH_WATER_BYTES } from "../../../core/protocol/limits.ts";
import { OutgoingLanes } from "../../../core/transport/outgoing_lanes.ts";
import { fakeClock } from "../../support/session_pair.ts";
import { settle } from "../../support/settle.ts";

/** Lanes over streams that a test opens, or that open at once. */
function lanes(openStream?: () => Promise<WritableStream<Uint8Array>>) {
  const events: string[] = [];
  const orders: number[] = [];
  const made: WritableStream<Uint8Array>[] = [];
  const stream = () => {
    made.push(new WritableStream({ close: () => void events.push("closed") }));
    return Promise.resolve(made.at(-1)!);
  };
  const lanes = new OutgoingLanes({
    openStream: (order) => {
      orders.push(order);
      return (openStream ?? stream)();
    },
    sendElsewhere: (frames) => void events.push(`elsewhere ${frames.map(([, number]) => number)}`),
    drained: () => void events.push("drained"),
    failed: ({ message }) => void events.push(message),
  });
  return { lanes, events, orders, made };
}

const frame = new Uint8Array(10);

Deno.test("OutgoingLanes opens one lane for each stream, behind the first stream, and ends it", async () => {
  const { lanes: open, events, orders, made } = lanes();
  deepEqual([open.open(2), open.open(2), open.open(4)], [true, true, true]);
  deepEqual([orders, made.length], [[-1, -1], 2]);
  open.send(2, frame, 1);
  open.close(2);
  open.close(2);
  open.close(900);
  await settle();
  deepEqual(events, ["closed"]);
  open.abandon();
});

Deno.test("OutgoingLanes has MAX_LANES, those included that are ending", async () => {
  const { lanes: open } = lanes();
  for (let id = 0; id < MAX_LANES; id++) equal(open.open(2 + 2 * id), true);
  equal(open.open(1_000), false);
  open.close(2);
  equal(open.open(1_000), false);
  await settle();
  equal(open.open(1_000), true);
  open.abandon();
});

Deno.test("OutgoingLanes.hasRoom() says no while much waits, and yes for a stream without a lane", async () => {
  const { promise, resolve } = Promise.withResolvers<WritableStream<Uint8Array>>();
  const { lanes: open, events } = lanes(() => promise);
  open.open(2);
  equal(open.hasRoom(2), true);
  open.send(2, new Uint8Array(SOCKET_HIGH_WATER_BYTES), 1);
  deepEqual([open.hasRoom(2), open.hasRoom(4)], [false, true]);
  resolve(new WritableStream());
  await settle();
  deepEqual([open.hasRoom(2), events], [true, ["drained"]]);
  open.abandon();
});

Deno.test("frames of lanes that the transport does not open go elsewhere, at once or after 2 s, and no lane is tried again", async () => {
  for (const refused of [true, false]) {
    using clock = fakeClock();
    const never = new Promise<never>(() => {});
    const { lanes: open, events } = lanes(() => refused ? Promise.reject(new Error("no stream")) : never);
    open.open(2);
    open.send(2, frame, 1);
    open.send(2, frame, 2);
    if (!refused) await clock.tick(1_999);
    else await settle();
    if (!refused) deepEqual(events, []);
    await clock.tick(1);
    deepEqual(events, ["elsewhere 1,2", "drained"]);
    deepEqual([open.open(2), open.open(4), open.hasRoom(2)], [false, false, true]);
  }
});

Deno.test("a lane that was closed before its stream opened is not lost when it does not", async () => {
  const { lanes: open, events } = lanes(() => Promise.reject(new Error("no stream")));
  open.open(2);
  open.send(2, frame, 1);
  open.close(2);
  await settle();
  deepEqual(events, ["elsewhere 1", "drained"]);
});

Deno.test("lanes that are open stay usable when another cannot be opened", async () => {
  let left = 1;
  const { lanes: open, events } = lanes(() =>
    left-- > 0 ? Promise.resolve(new WritableStream()) : Promise.reject(new Error("no stream"))
  );
  open.open(2);
  open.open(4);
  open.send(4, frame, 1);
  await settle();
  deepEqual([open.open(2), open.open(4), events], [true, false, ["elsewhere 1", "drained"]]);
  open.abandon();
});

Deno.test("a lane that breaks is told", async () => {
  const { lanes: open, events } = lanes(() =>
    Promise.resolve(
      new WritableStream({
        write: () => Promise.reject(new Error("peer has stopped")),
      }),
    )
  );
  open.open(2);
  open.send(2, frame, 1);
  await settle();
  deepEqual(events, ["peer has stopped"]);
});
