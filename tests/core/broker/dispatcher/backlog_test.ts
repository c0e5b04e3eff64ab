/** Tests of attempts that wait at their provider. */

import assert from "node:assert/strict";
import { MAX_BOUNCES } from "../../../../core/broker/dispatcher/retry.ts";
import { TestDispatcher } from "./test_dispatcher.ts";

/** One provider with a busy slot, and room for more to wait there. */
function withBacklog(backlog: number): TestDispatcher {
  const dispatcher = new TestDispatcher();
  dispatcher.join("p");
  dispatcher.on({ kind: "status", provider: "p", slots: 1, backlog });
  assert.deepEqual(dispatcher.submit("t1"), ["start t1 as a1 on p"]);
  return dispatcher;
}

Deno.test("tasks wait at a provider that lets them, as many as it lets", () => {
  const dispatcher = withBacklog(2);
  assert.deepEqual(dispatcher.submit("t2"), ["start t2 as a2 on p"]);
  assert.deepEqual(dispatcher.submit("t3"), ["start t3 as a3 on p"]);
  assert.deepEqual(dispatcher.submit("t4"), ["queued t4: every matching provider is busy"]);
  assert.deepEqual(dispatcher.end("p", "a1"), ["finish t1: exit 0", "start t4 as a4 on p"]);
});

Deno.test("a free slot anywhere goes before waiting at a provider that knows the module", () => {
  const dispatcher = withBacklog(8);
  dispatcher.end("p", "a1");
  assert.deepEqual(dispatcher.submit("t2"), ["start t2 as a2 on p"]);
  dispatcher.join("q");
  assert.deepEqual(dispatcher.submit("t3"), ["start t3 as a3 on q"]);
  assert.deepEqual(dispatcher.submit("t4"), ["start t4 as a4 on p"]);
});

Deno.test("a task that is to start at once never waits at a provider", () => {
  const dispatcher = withBacklog(8);
  assert.deepEqual(dispatcher.submit("t2", { immediate: true }), [
    "finish t2: rejected 125 by broker: no idle provider: every matching provider is busy",
  ]);
});

Deno.test("a task that is sent back because slots are taken loses no attempt and may come again", () => {
  const dispatcher = withBacklog(1);
  dispatcher.submit("t2", { attempts: 1 });
  assert.deepEqual(dispatcher.on({ kind: "status", provider: "p", slots: 1, backlog: 0 }), []);
  assert.deepEqual(dispatcher.fail("p", "a2", "resource_exhausted", "busy"), [
    'retrying t2: provider "p" failed: busy',
  ]);
  assert.deepEqual(dispatcher.end("p", "a1"), ["finish t1: exit 0", "start t2 as a3 on p"]);
});

Deno.test("a provider that sends a task back again and again uses up its attempts", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("p");
  dispatcher.submit("t", { attempts: 1 });
  for (let bounce = 1; bounce <= MAX_BOUNCES; bounce++) {
    const [, again] = dispatcher.fail("p", `a${bounce}`, "resource_exhausted", "busy");
    assert.equal(again, `start t as a${bounce + 1} on p`);
  }
  assert.deepEqual(dispatcher.fail("p", `a${MAX_BOUNCES + 1}`, "resource_exhausted", "busy"), [
    'finish t: lost 125 by broker: provider "p" failed: busy',
  ]);
});

Deno.test("a draining provider lets nobody wait", () => {
  const dispatcher = withBacklog(8);
  dispatcher.on({ kind: "status", provider: "p", slots: 0, backlog: 8 });
  assert.deepEqual(dispatcher.submit("t2"), ["queued t2: every matching provider is draining"]);
});
