import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { TaskTrace } from "../../../core/broker/task_trace.ts";
import { Task_TraceEvent_EventType as Event } from "../../../core/protocol/gen/wasimoff/v1/messages_pb.ts";

const start = { createdNs: 1n, now: () => 1_700_000_000_000.5 };

Deno.test("TaskTrace notes what happens behind what its client has noted", () => {
  const trace = new TaskTrace({ ...start, moments: [{ event: 11, unixNano: 2n }] });
  trace.mark(Event.BrokerQueueTask);
  deepStrictEqual(trace.moments, [
    { event: 11, unixNano: 2n },
    { event: 22, unixNano: 1_700_000_000_000_500_000n },
  ]);
});

Deno.test("TaskTrace believes a provider only what happened at the provider", () => {
  const trace = new TaskTrace({ ...start, moments: [] });
  trace.addOfProvider([20, 29, 30, 31, 37, 38, 0, -1].map((event) => ({ event, unixNano: 3n })));
  deepStrictEqual(trace.moments.map(({ event }) => event), [30, 31, 37]);
});

Deno.test("TaskTrace stays small whatever is added", () => {
  const many = Array.from({ length: 10_000 }, () => ({ event: 31, unixNano: 0n }));
  const trace = new TaskTrace({ ...start, moments: many });
  trace.addOfProvider(many);
  trace.mark(Event.BrokerQueueTask);
  strictEqual(trace.moments.length, 256);
});
