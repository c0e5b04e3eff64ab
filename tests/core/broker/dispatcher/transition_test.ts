/** Tests of the dispatcher as a whole: whatever happens, its promises hold. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { transition } from "../../../../core/broker/dispatcher/transition.ts";
import { happenings, RandomBroker } from "./random_broker.ts";
import { TestDispatcher } from "./test_dispatcher.ts";

Deno.test("transition() ends every task once, overloads nobody and leaves nothing behind", () => {
  fc.assert(
    fc.property(happenings, (list) => {
      const broker = new RandomBroker();
      for (const happening of list) broker.happen(happening);
      broker.drain();
    }),
    { numRuns: 60 },
  );
});

Deno.test("transition() does the same again for the same events", () => {
  fc.assert(
    fc.property(happenings, (list) => {
      const broker = new RandomBroker();
      for (const happening of list) broker.happen(happening);
      const { state, log } = new TestDispatcher({ maxQueue: 12, maxQueueBytes: 1_000 });
      const effects = broker.events.map(([event, nowMs]) => transition(state, event, nowMs));
      assert.deepEqual(effects, broker.effects);
      assert.deepEqual(log, broker.dispatcher.log);
    }),
    { numRuns: 20 },
  );
});

Deno.test("transition() logs every change of a task in order", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("p");
  dispatcher.submit("t");
  dispatcher.on({ kind: "leave", provider: "p" });
  dispatcher.join("q");
  dispatcher.end("q", "a2");
  const brief = dispatcher.log.map((entry) =>
    entry.kind === "placed" ? `placed on ${entry.provider}` : entry.kind
  );
  assert.deepEqual(brief, ["submitted", "placed on p", "requeued", "placed on q", "finished"]);
  assert.deepEqual(dispatcher.log.at(-1), {
    kind: "finished",
    atMs: 1_000_000,
    task: "t",
    outcome: { reason: "exit", origin: "guest", status: 0, message: "" },
    provider: "q",
    attempts: 2,
  });
});

Deno.test("transition() tells of a finished task who ran it and how long it took", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.submit("t");
  dispatcher.nowMs += 250;
  dispatcher.join("p");
  dispatcher.nowMs += 10;
  const event = { kind: "ended", provider: "p", attempt: "a1", durationMs: 8, elapsedMs: 10 } as const;
  const outcome = { reason: "exit", origin: "guest", status: 3, message: "" } as const;
  assert.deepEqual(dispatcher.effects({ ...event, outcome }), [{
    kind: "finish",
    task: "t",
    outcome,
    code: null,
    provider: "p",
    attempts: 1,
    queuedMs: 250,
    durationMs: 8,
  }]);
});
