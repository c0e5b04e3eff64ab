/** Tests of providers coming, going and changing. */

import assert from "node:assert/strict";
import { MAX_SLOTS } from "../../../../core/broker/dispatcher/limits.ts";
import { providerView, providerViews, stats } from "../../../../core/broker/dispatcher/queries.ts";
import { TestDispatcher } from "./test_dispatcher.ts";

Deno.test("a provider gets as many attempts as it has slots", () => {
  const dispatcher = new TestDispatcher();
  for (const task of ["t1", "t2", "t3"]) dispatcher.submit(task);
  assert.deepEqual(dispatcher.join("p", { slots: 2 }), ["start t1 as a1 on p", "start t2 as a2 on p"]);
  assert.deepEqual(dispatcher.end("p", "a1"), ["finish t1: exit 0", "start t3 as a3 on p"]);
});

Deno.test("a provider that drains gets nothing until it has slots again", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("p", { slots: 2 });
  dispatcher.submit("t1");
  assert.deepEqual(dispatcher.on({ kind: "status", provider: "p", slots: 0, backlog: 0 }), []);
  assert.deepEqual(dispatcher.submit("t2"), ["queued t2: every matching provider is draining"]);
  assert.deepEqual(dispatcher.end("p", "a1"), ["finish t1: exit 0"]);
  assert.deepEqual(dispatcher.on({ kind: "status", provider: "p", slots: 1, backlog: 0 }), [
    "start t2 as a2 on p",
  ]);
});

Deno.test("a provider with fewer slots than attempts gets a new one only when enough have ended", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("p", { slots: 3 });
  for (const task of ["t1", "t2", "t3", "t4"]) dispatcher.submit(task);
  dispatcher.on({ kind: "status", provider: "p", slots: 1, backlog: 0 });
  assert.deepEqual(dispatcher.end("p", "a1"), ["finish t1: exit 0"]);
  assert.deepEqual(dispatcher.end("p", "a2"), ["finish t2: exit 0"]);
  assert.deepEqual(dispatcher.end("p", "a3"), ["finish t3: exit 0", "start t4 as a4 on p"]);
});

Deno.test("a silent provider gets nothing new, and keeps what it has", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("p", { slots: 2 });
  dispatcher.submit("t1");
  dispatcher.on({ kind: "suspect", provider: "p", suspect: true });
  assert.deepEqual(dispatcher.submit("t2"), ["queued t2: every matching provider is busy"]);
  assert.deepEqual(dispatcher.end("p", "a1"), ["finish t1: exit 0"]);
  assert.deepEqual(dispatcher.on({ kind: "suspect", provider: "p", suspect: false }), [
    "start t2 as a2 on p",
  ]);
});

Deno.test("the tasks of a lost provider go elsewhere in the order of their start", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("p", { slots: 2 });
  dispatcher.submit("t1");
  dispatcher.submit("t2");
  dispatcher.join("q", { slots: 1 });
  assert.deepEqual(dispatcher.on({ kind: "leave", provider: "p" }), [
    'retrying t1: provider "p" was lost',
    "start t1 as a3 on q",
    'retrying t2: provider "p" was lost',
  ]);
  assert.deepEqual(dispatcher.on({ kind: "leave", provider: "p" }), []);
});

Deno.test("join throws for a provider id in use", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("p");
  assert.throws(() => dispatcher.join("p"), new TypeError('cannot add a provider: id "p" is in use'));
});

Deno.test("absurd numbers of slots are not believed", () => {
  const dispatcher = new TestDispatcher();
  for (const [slots, believed] of [[2 ** 32, MAX_SLOTS], [-1, 0], [NaN, 0], [2.7, 2], [0.5, 0]] as const) {
    dispatcher.join(`p${slots}`, { slots });
    assert.equal(providerView(dispatcher.state, `p${slots}`)!.slots, believed);
  }
});

Deno.test("events of a provider or a task that is gone change nothing", () => {
  const dispatcher = new TestDispatcher();
  assert.deepEqual(dispatcher.on({ kind: "status", provider: "p", slots: 4, backlog: 0 }), []);
  assert.deepEqual(dispatcher.on({ kind: "suspect", provider: "p", suspect: false }), []);
  assert.equal(providerView(dispatcher.state, "p"), null);
});

Deno.test("stats() and providerViews() count what waits and runs", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("p", { labels: { os: "linux" } });
  dispatcher.submit("t1", {}, 10);
  dispatcher.submit("t2", {}, 20);
  const { totals, ...now } = stats(dispatcher.state);
  assert.deepEqual(now, { queued: 1, queuedBytes: 20, running: 1, providers: 1 });
  assert.equal(totals.submitted, 2);
  assert.equal(totals.placed, 1);
  const view = { slots: 1, running: 1, suspect: false, latencyMs: 0, speed: 1 };
  assert.deepEqual(providerViews(dispatcher.state), [{
    id: "p",
    name: "p",
    generation: 2,
    labels: { os: "linux" },
    ...view,
  }]);
});
