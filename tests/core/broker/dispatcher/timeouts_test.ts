/** Tests of what happens when time has passed. */

import assert from "node:assert/strict";
import {
  MAX_DUE_PER_TICK,
  QUEUE_TIMEOUT_MS,
  RETRY_PAUSE_MS,
} from "../../../../core/broker/dispatcher/limits.ts";
import { nextWakeMs } from "../../../../core/broker/dispatcher/transition.ts";
import { TestDispatcher } from "./test_dispatcher.ts";

Deno.test("a deadline ends a waiting task", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.submit("t", { deadline: dispatcher.nowMs + 100 });
  assert.equal(nextWakeMs(dispatcher.state), dispatcher.nowMs + 100);
  assert.deepEqual(dispatcher.after(99), []);
  assert.deepEqual(dispatcher.after(1), [
    "finish t: timeout 124 by broker: timed out while queued: the deadline has passed, and no provider is connected",
  ]);
  assert.equal(nextWakeMs(dispatcher.state), null);
});

Deno.test("a deadline cancels a running task", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("p");
  dispatcher.submit("t", { deadline: dispatcher.nowMs + 100 });
  assert.deepEqual(dispatcher.after(100), ["cancel a1 on p: deadline_exceeded"]);
  assert.deepEqual(dispatcher.end("p", "a1"), [
    'finish t: timeout 124 by broker: the deadline has passed: acknowledged by provider "p"',
  ]);
});

Deno.test("an attempt that outlives its timeout by 10 s goes elsewhere, a late answer only frees the slot", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("p", { taskTimeoutMs: 60_000 });
  dispatcher.submit("t", { timeoutMs: 1_000 });
  dispatcher.join("q");
  assert.deepEqual(dispatcher.after(10_999), []);
  assert.deepEqual(dispatcher.after(1), [
    "cancel a1 on p: deadline_exceeded",
    'retrying t: provider "p" did not end the task within its timeout',
    "start t as a2 on q",
  ]);
  assert.deepEqual(dispatcher.submit("t2"), ["queued t2: every matching provider is busy"]);
  assert.deepEqual(dispatcher.end("p", "a1"), ["start t2 as a3 on p"]);
  assert.deepEqual(dispatcher.end("q", "a2"), ["finish t: exit 0"]);
});

Deno.test("a task without a timeout has its provider's, and none where neither says one", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("p", { taskTimeoutMs: 60_000 });
  dispatcher.submit("t1");
  assert.equal(nextWakeMs(dispatcher.state), dispatcher.nowMs + 70_000);
  dispatcher.end("p", "a1");
  dispatcher.on({ kind: "leave", provider: "p" });
  dispatcher.join("v1", { taskTimeoutMs: Infinity });
  dispatcher.submit("t2");
  assert.equal(nextWakeMs(dispatcher.state), null);
});

Deno.test("a task that nobody connected can run is rejected after the queue timeout, with the reason", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("p");
  dispatcher.submit("t1", { require: { gpu: "yes" } });
  dispatcher.nowMs += 1_000;
  dispatcher.submit("t2", { require: { gpu: "yes" }, priority: true });
  assert.deepEqual(dispatcher.after(QUEUE_TIMEOUT_MS - 1_001), []);
  assert.deepEqual(dispatcher.after(1), [
    "finish t1: rejected 125 by broker: gave up after 300 s in the queue: no provider has label gpu=yes",
  ]);
  assert.deepEqual(dispatcher.after(999), []);
  assert.deepEqual(dispatcher.after(1), [
    "finish t2: rejected 125 by broker: gave up after 300 s in the queue: no provider has label gpu=yes",
  ]);
});

Deno.test("the queue timeout does not count while a matching provider is connected, be it busy", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.submit("t1");
  dispatcher.nowMs += QUEUE_TIMEOUT_MS - 1;
  dispatcher.join("p", { taskTimeoutMs: Infinity });
  dispatcher.submit("t2");
  assert.deepEqual(dispatcher.after(QUEUE_TIMEOUT_MS * 3), []);
  dispatcher.on({ kind: "suspect", provider: "p", suspect: true });
  assert.deepEqual(dispatcher.after(QUEUE_TIMEOUT_MS), []);
  dispatcher.on({ kind: "status", provider: "p", slots: 0, backlog: 0 });
  assert.deepEqual(dispatcher.after(QUEUE_TIMEOUT_MS - 1), []);
  assert.deepEqual(dispatcher.after(1), [
    "finish t2: rejected 125 by broker: " +
    "gave up after 300 s in the queue: every matching provider is draining",
  ]);
});

Deno.test("a retried task that waits in vain is lost and names its last cause", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("p");
  dispatcher.submit("t");
  dispatcher.fail("p", "a1", "not_found", "file is gone");
  dispatcher.on({ kind: "leave", provider: "p" });
  assert.deepEqual(dispatcher.after(RETRY_PAUSE_MS), []);
  assert.deepEqual(dispatcher.after(QUEUE_TIMEOUT_MS - 1), []);
  assert.deepEqual(dispatcher.after(1), [
    'finish t: lost 125 by broker: provider "p" failed: file is gone, ' +
    "and gave up after 300 s in the queue: no provider is connected",
  ]);
});

Deno.test("one tick handles a part of a crowd and asks to be woken at once", () => {
  const dispatcher = new TestDispatcher();
  const deadline = dispatcher.nowMs + 100;
  for (let number = 0; number < MAX_DUE_PER_TICK + 10; number++) {
    dispatcher.submit(`t${number}`, { deadline });
  }
  assert.equal(dispatcher.after(100).length, MAX_DUE_PER_TICK);
  assert.equal(nextWakeMs(dispatcher.state), deadline);
  assert.equal(dispatcher.after(0).length, 10);
  assert.equal(nextWakeMs(dispatcher.state), null);
});

Deno.test("time that goes backwards counts as standing still", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.submit("t", { deadline: dispatcher.nowMs + 100 });
  dispatcher.after(50);
  dispatcher.nowMs -= 1_000;
  assert.deepEqual(dispatcher.submit("t2", { deadline: dispatcher.nowMs + 1_000 }), [
    "finish t2: timeout 124 by broker: timed out while queued: the deadline has passed",
  ]);
});
