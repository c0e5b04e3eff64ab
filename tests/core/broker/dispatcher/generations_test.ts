/** Tests of providers of the first generation beside those of the second. */

import assert from "node:assert/strict";
import { QUEUE_TIMEOUT_MS } from "../../../../core/broker/dispatcher/limits.ts";
import { ref, TestDispatcher } from "./test_dispatcher.ts";

Deno.test("old providers are used when no new one has a free slot, however warm they are", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("old", { generation: 1, slots: 64, cached: [ref(1)] });
  dispatcher.submit("t1");
  dispatcher.end("old", "a1");
  dispatcher.join("new", { slots: 1 });
  assert.deepEqual(dispatcher.submit("t2"), ["start t2 as a2 on new"]);
  assert.deepEqual(dispatcher.submit("t3"), ["start t3 as a3 on old"]);
  dispatcher.end("new", "a2");
  assert.deepEqual(dispatcher.submit("t4"), ["start t4 as a4 on new"]);
});

Deno.test("a free slot of an old provider goes before the backlog of a new one", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("new");
  dispatcher.on({ kind: "status", provider: "new", slots: 1, backlog: 1 });
  dispatcher.join("old", { generation: 1 });
  const started = ["t1", "t2", "t3"].flatMap((task) => dispatcher.submit(task));
  assert.deepEqual(started, ["start t1 as a1 on new", "start t2 as a2 on old", "start t3 as a3 on new"]);
});

Deno.test("a task that an old provider cannot carry waits for a new one, and says so", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("old", { generation: 1, slots: 9 });
  const why = "task needs a provider of wasimoff_v2: none is connected";
  assert.deepEqual(dispatcher.submit("t1", { deterministic: true }), [`queued t1: ${why}`]);
  assert.deepEqual(dispatcher.submit("t2", { deterministic: true, immediate: true }), [
    `finish t2: rejected 125 by broker: no idle provider: ${why}`,
  ]);
  dispatcher.submit("t3", { memoryBytes: 1 });
  assert.deepEqual(dispatcher.join("new"), ["start t1 as a1 on new"]);
  dispatcher.on({ kind: "leave", provider: "new" });
  assert.deepEqual(dispatcher.after(QUEUE_TIMEOUT_MS).sort(), [
    `finish t1: lost 125 by broker: provider "new" was lost, and gave up after 300 s in the queue: ${why}`,
    `finish t3: rejected 125 by broker: gave up after 300 s in the queue: ${why}`,
  ]);
});

Deno.test("a task that turns out to be too large for an old provider goes to a new one, at no attempt's cost", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("old", { generation: 1 });
  dispatcher.submit("t1", { attempts: 1 });
  assert.deepEqual(dispatcher.fail("old", "a1", "out_of_range", "stdin is too long"), [
    'retrying t1: provider "old" failed: stdin is too long',
  ]);
  assert.deepEqual(dispatcher.submit("t2"), ["start t2 as a2 on old"], "the slot is free again");
  assert.deepEqual(dispatcher.join("new"), ["start t1 as a3 on new"]);
  assert.deepEqual(dispatcher.fail("new", "a3", "out_of_range", "no"), [
    'finish t1: lost 125 by broker: provider "new" failed: no',
  ]);
});

Deno.test("a task that is too large for an old provider and cannot be repeated is lost", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("old", { generation: 1 });
  dispatcher.submit("t1");
  dispatcher.on({ kind: "unrepeatable", task: "t1", why: "stdin was consumed" });
  assert.deepEqual(dispatcher.fail("old", "a1", "out_of_range", "stdin is too long"), [
    'finish t1: lost 125 by broker: provider "old" failed: stdin is too long, and it cannot be run again: stdin was consumed',
  ]);
});

Deno.test("files that come and go change what a provider is preferred for", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("large", { slots: 64 });
  dispatcher.join("small");
  dispatcher.on({ kind: "files", provider: "small", added: [ref(7)], removed: [] });
  assert.deepEqual(dispatcher.submit("t1", { module: ref(7) }), ["start t1 as a1 on small"]);
  dispatcher.end("small", "a1");
  dispatcher.on({ kind: "files", provider: "small", added: [ref(7)], removed: [] });
  assert.equal(dispatcher.state.providers.get("small")!.modules.get(ref(7)), "ran");
  dispatcher.on({ kind: "files", provider: "small", added: [], removed: [ref(7)] });
  assert.deepEqual(dispatcher.submit("t2", { module: ref(7) }), ["start t2 as a2 on large"]);
  dispatcher.on({ kind: "files", provider: "gone", added: [ref(7)], removed: [] });
  const many = Array.from({ length: 100_000 }, (_, number) => ref(number));
  dispatcher.on({ kind: "files", provider: "small", added: many, removed: many });
  assert.equal(dispatcher.state.providers.get("small")!.modules.size, 0);
});
