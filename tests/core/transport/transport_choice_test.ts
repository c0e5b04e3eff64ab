import { deepEqual } from "node:assert/strict";
import {
  AVOID_FIRST_DELAY_MS,
  AVOID_MAX_DELAY_MS,
  AVOID_MS,
  HEAD_START_MS,
  MAX_REMEMBERED_BROKERS,
  REMEMBER_MS,
  type RememberedTransport,
  SHORT_LIFE_MS,
  TransportChoice,
} from "../../../core/transport/transport_choice.ts";

const BROKER = "https://broker.example/";
const TOGETHER = { websocket: 0, webtransport: 0 };

/** A choice, its clock, and what it told to be kept. */
function setup(remembered: readonly RememberedTransport[] = [], nowMs = 1_000_000_000) {
  const kept: (readonly RememberedTransport[])[] = [];
  const time = { nowMs };
  const choice = new TransportChoice({
    now: () => time.nowMs,
    remembered,
    onChange: (entries) => kept.push(entries),
  });
  return { choice, kept, time };
}

Deno.test("TransportChoice lets both start together at a broker that nobody knows", () => {
  const { choice } = setup();
  deepEqual(choice.headStarts(BROKER), TOGETHER);
});

Deno.test("TransportChoice gives the last winner a head start, for a while, at this broker alone", () => {
  const { choice, time } = setup();
  choice.won(BROKER, "webtransport");
  deepEqual(choice.headStarts(BROKER), { websocket: HEAD_START_MS, webtransport: 0 });
  deepEqual(choice.headStarts("https://other.example/"), TOGETHER);
  time.nowMs += REMEMBER_MS - 1;
  choice.won(BROKER, "webtransport"); // prolongs nothing
  deepEqual(choice.headStarts(BROKER).websocket, HEAD_START_MS);
  time.nowMs++;
  deepEqual(choice.headStarts(BROKER), TOGETHER);
});

Deno.test("TransportChoice tells what changes to whoever keeps it, and only that", () => {
  const { choice, kept, time } = setup();
  choice.won(BROKER, "websocket");
  choice.won(BROKER, "websocket");
  deepEqual(kept, [[{ broker: BROKER, transport: "websocket", wonAtMs: 1_000_000_000 }]]);
  time.nowMs++;
  choice.won(BROKER, "webtransport");
  deepEqual(kept[1], [{ broker: BROKER, transport: "webtransport", wonAtMs: 1_000_000_001 }]);
  time.nowMs += REMEMBER_MS;
  choice.won(BROKER, "webtransport");
  deepEqual(kept.length, 3);
});

Deno.test("TransportChoice believes an earlier process, but neither the old nor the future", () => {
  const at = (wonAtMs: number) => [{ broker: BROKER, transport: "websocket", wonAtMs }] as const;
  deepEqual(setup(at(1_000_000_000 - 5)).choice.headStarts(BROKER).webtransport, HEAD_START_MS);
  deepEqual(setup(at(1_000_000_000 - REMEMBER_MS)).choice.headStarts(BROKER), TOGETHER);
  deepEqual(setup(at(1_000_000_001)).choice.headStarts(BROKER), TOGETHER);
});

Deno.test("TransportChoice prefers the other for a while after a connection that broke at once", () => {
  const { choice, time } = setup();
  choice.won(BROKER, "websocket");
  choice.broke(BROKER, "websocket", SHORT_LIFE_MS);
  deepEqual(choice.headStarts(BROKER).webtransport, HEAD_START_MS, "one that lasted counts for nothing");
  choice.broke(BROKER, "websocket", SHORT_LIFE_MS - 1);
  deepEqual(choice.headStarts(BROKER), { websocket: AVOID_FIRST_DELAY_MS, webtransport: 0 });
  time.nowMs += AVOID_MS;
  deepEqual(choice.headStarts(BROKER), TOGETHER);
});

Deno.test("TransportChoice keeps a transport that breaks again and again waiting longer, to a limit", () => {
  const { choice, time } = setup();
  const delays = Array.from({ length: 7 }, () => {
    choice.broke(BROKER, "websocket", 1);
    return choice.headStarts(BROKER).websocket;
  });
  deepEqual(delays, [250, 500, 1_000, 2_000, 4_000, AVOID_MAX_DELAY_MS, AVOID_MAX_DELAY_MS]);
  time.nowMs += AVOID_MS;
  choice.broke(BROKER, "websocket", 1);
  deepEqual(choice.headStarts(BROKER).websocket, AVOID_FIRST_DELAY_MS);
});

Deno.test("TransportChoice prefers neither when both break at once", () => {
  const { choice } = setup();
  choice.broke(BROKER, "websocket", 1);
  choice.won(BROKER, "webtransport");
  choice.broke(BROKER, "webtransport", 1);
  deepEqual(choice.headStarts(BROKER), TOGETHER);
  choice.broke(BROKER, "webtransport", 1);
  deepEqual(choice.headStarts(BROKER), { websocket: 0, webtransport: AVOID_FIRST_DELAY_MS });
});

Deno.test("TransportChoice remembers a bounded number of brokers, the latest ones", () => {
  const { choice, kept, time } = setup();
  for (let i = 0; i < MAX_REMEMBERED_BROKERS + 10; i++) {
    choice.won(`http://broker-${i}/`, "websocket");
    time.nowMs++;
  }
  const brokers = kept.at(-1)!.map(({ broker }) => broker);
  deepEqual([brokers.length, brokers[0], brokers.at(-1)], [
    MAX_REMEMBERED_BROKERS,
    "http://broker-10/",
    `http://broker-${MAX_REMEMBERED_BROKERS + 9}/`,
  ]);
});
