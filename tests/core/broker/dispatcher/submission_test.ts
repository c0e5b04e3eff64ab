/** Tests of a task's way in. */

import assert from "node:assert/strict";
import { MAX_GROUPS } from "../../../../core/broker/dispatcher/limits.ts";
import { stats } from "../../../../core/broker/dispatcher/queries.ts";
import { MIB, TestDispatcher } from "./test_dispatcher.ts";

Deno.test("submit starts a task at once on an idle provider", () => {
  const dispatcher = new TestDispatcher();
  assert.deepEqual(dispatcher.join("p"), []);
  assert.deepEqual(dispatcher.submit("t"), ["start t as a1 on p"]);
});

Deno.test("submit says why a task waits", () => {
  const dispatcher = new TestDispatcher();
  assert.deepEqual(dispatcher.submit("t1"), ["queued t1: no provider is connected"]);
  assert.deepEqual(dispatcher.join("p"), ["start t1 as a1 on p"]);
  assert.deepEqual(dispatcher.submit("t2"), ["queued t2: every matching provider is busy"]);
});

Deno.test("submit throws for a task id in use", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.submit("t");
  assert.throws(() => dispatcher.submit("t"), new TypeError('cannot submit a task: id "t" is in use'));
});

Deno.test("submit rejects a task beyond the count that may wait, but not one that need not wait", () => {
  const dispatcher = new TestDispatcher({ maxQueue: 1 });
  dispatcher.submit("t1", { require: { gpu: "yes" } });
  assert.deepEqual(dispatcher.submit("t2"), [
    "finish t2: rejected 125 by broker: queue is full: 1 tasks wait, try again later",
  ]);
  dispatcher.join("p");
  assert.deepEqual(dispatcher.submit("t3"), ["start t3 as a1 on p"]);
});

Deno.test("submit rejects a task beyond the bytes that may wait, with resource_exhausted", () => {
  const dispatcher = new TestDispatcher({ maxQueueBytes: 2 * MIB });
  dispatcher.submit("t1", {}, 2 * MIB - 1);
  dispatcher.submit("t2", {}, 1);
  assert.equal(stats(dispatcher.state).queuedBytes, 2 * MIB);
  const spec = dispatcher.state.tasks.get("t1")!.spec;
  const [effect] = dispatcher.effects({ kind: "submit", task: "t3", spec, bytes: 1 });
  assert.ok(effect?.kind === "finish");
  assert.equal(effect.code, "resource_exhausted");
  assert.equal(effect.outcome.message, "queue is full: 2 MiB of 2 MiB are taken, try again later");
});

Deno.test("submit rejects an immediate task that cannot start at once", () => {
  const dispatcher = new TestDispatcher();
  assert.deepEqual(dispatcher.submit("t1", { immediate: true }), [
    "finish t1: rejected 125 by broker: no idle provider: no provider is connected",
  ]);
  dispatcher.join("p");
  assert.deepEqual(dispatcher.submit("t2", { immediate: true }), ["start t2 as a1 on p"]);
  assert.deepEqual(dispatcher.submit("t3", { immediate: true }), [
    "finish t3: rejected 125 by broker: no idle provider: every matching provider is busy",
  ]);
});

Deno.test("submit ends a task whose deadline is over", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("p");
  assert.deepEqual(dispatcher.submit("t", { deadline: dispatcher.nowMs }), [
    "finish t: timeout 124 by broker: timed out while queued: the deadline has passed",
  ]);
});

Deno.test("submit rejects further different requirements while MAX_GROUPS wait, and forgets unused ones", () => {
  const dispatcher = new TestDispatcher();
  for (let number = 0; number < MAX_GROUPS; number++) {
    dispatcher.submit(`t${number}`, { require: { room: `${number}` } });
  }
  assert.deepEqual(dispatcher.submit("more", { require: { room: "more" } }), [
    "finish more: rejected 125 by broker: " +
    "queue is full: tasks with 256 different requirements wait, try again later",
  ]);
  dispatcher.join("p", { slots: 2, labels: { room: "7" } });
  dispatcher.join("q", { labels: { room: "more" } });
  assert.deepEqual(dispatcher.submit("again", { require: { room: "more" } }), ["start again as a2 on q"]);
  assert.equal(dispatcher.state.groups.size, MAX_GROUPS);
});
