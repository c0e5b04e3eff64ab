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
    "finish t2: timeout 124 by broker: timed out while queued: the request took too long",
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
