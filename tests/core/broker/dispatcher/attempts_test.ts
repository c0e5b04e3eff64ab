/** Tests of cancelling. */

import assert from "node:assert/strict";
import { WasimoffError } from "../../../../core/errors.ts";
import { exited } from "../../../../core/outcome.ts";
import { TestDispatcher } from "./test_dispatcher.ts";

const LEFT = new WasimoffError("canceled", "the client left");
const LATE = new WasimoffError("deadline_exceeded", "the request took too long");

function running(): TestDispatcher {
  const dispatcher = new TestDispatcher();
  dispatcher.join("p");
  dispatcher.submit("t");
  return dispatcher;
}

Deno.test("cancel ends a waiting task at once", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.submit("t1");
  dispatcher.submit("t2");
  assert.deepEqual(dispatcher.on({ kind: "cancel", task: "t1", reason: LEFT }), [
    "finish t1: cancelled 143 by client: cancelled while queued: the client left",
  ]);
  assert.deepEqual(dispatcher.on({ kind: "cancel", task: "t2", reason: LATE }), [
    "finish t2: timeout 124 by broker: timed out while queued: the request took too long, and no provider is connected",
  ]);
  assert.deepEqual(dispatcher.on({ kind: "cancel", task: "t2", reason: LATE }), []);
});

Deno.test("cancel of a running task waits for the provider, and the first reason stays", () => {
  const dispatcher = running();
  assert.deepEqual(dispatcher.on({ kind: "cancel", task: "t", reason: LEFT }), ["cancel a1 on p: canceled"]);
  assert.deepEqual(dispatcher.on({ kind: "cancel", task: "t", reason: LATE }), []);
  dispatcher.submit("t2");
  assert.deepEqual(dispatcher.end("p", "a1", exited(0)), [
    'finish t: cancelled 143 by client: cancelled: acknowledged by provider "p"',
    "start t2 as a2 on p",
  ]);
});

Deno.test("an attempt that fails while it is cancelled acknowledges it and is not retried", () => {
  const dispatcher = running();
  dispatcher.join("q");
  dispatcher.on({ kind: "cancel", task: "t", reason: LEFT });
  assert.deepEqual(dispatcher.fail("p", "a1", "unavailable"), [
    'finish t: cancelled 143 by client: cancelled: acknowledged by provider "p"',
  ]);
});

Deno.test("a cancelled task ends when its provider is lost, and says so", () => {
  const dispatcher = running();
  dispatcher.join("q");
  dispatcher.on({ kind: "cancel", task: "t", reason: LEFT });
  assert.deepEqual(dispatcher.on({ kind: "leave", provider: "p" }), [
    'finish t: cancelled 143 by client: cancelled: provider "p" was lost before it acknowledged',
  ]);
});

Deno.test("a cancel that nobody acknowledges ends the task after 10 s, its slot stays taken", () => {
  const dispatcher = running();
  dispatcher.on({ kind: "cancel", task: "t", reason: LATE });
  assert.deepEqual(dispatcher.after(9_999), []);
  assert.deepEqual(dispatcher.after(1), [
    "finish t: timeout 124 by broker: " +
    'the request took too long: provider "p" did not acknowledge within 10 s',
  ]);
  assert.deepEqual(dispatcher.submit("t2"), ["queued t2: every matching provider is busy"]);
  assert.deepEqual(dispatcher.end("p", "a1"), ["start t2 as a2 on p"]);
});

Deno.test("an attempt that was answered frees its slot, and no longer has to end in time", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("p", { taskTimeoutMs: 1_000 });
  dispatcher.submit("t1");
  dispatcher.submit("t2");
  assert.deepEqual(dispatcher.on({ kind: "answered", provider: "q", attempt: "a1" }), []);
  assert.deepEqual(dispatcher.on({ kind: "answered", provider: "p", attempt: "a1" }), [
    "start t2 as a2 on p",
  ]);
  assert.deepEqual(dispatcher.end("p", "a2"), ["finish t2: exit 0"]);
  assert.deepEqual(dispatcher.after(3_600_000), []);
  assert.deepEqual(dispatcher.end("p", "a1"), ["finish t1: exit 0"]);
});

Deno.test("an attempt that was answered outlives its provider, or is lost when its output was cut", () => {
  const dispatcher = new TestDispatcher();
  for (const provider of ["p", "q"]) dispatcher.join(provider);
  dispatcher.submit("t1");
  dispatcher.submit("t2");
  for (const [provider, attempt] of [["p", "a1"], ["q", "a2"]] as const) {
    dispatcher.on({ kind: "answered", provider, attempt });
    assert.deepEqual(dispatcher.on({ kind: "leave", provider }), []);
  }
  assert.deepEqual(dispatcher.end("p", "a1"), ["finish t1: exit 0"]);
  assert.match(dispatcher.fail("q", "a2", "unavailable")[0]!, /^retrying t2/);
  assert.equal(dispatcher.state.warm.size, 0);
});
