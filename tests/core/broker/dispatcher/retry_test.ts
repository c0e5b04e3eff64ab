/** Tests of lost attempts. */

import assert from "node:assert/strict";
import { MAX_LANES, MAX_MESSAGE_CHARS, RETRY_PAUSE_MS } from "../../../../core/broker/dispatcher/limits.ts";
import { stats } from "../../../../core/broker/dispatcher/queries.ts";
import { nextWakeMs } from "../../../../core/broker/dispatcher/transition.ts";
import type { Code } from "../../../../core/errors.ts";
import { exited, failed } from "../../../../core/outcome.ts";
import { TestDispatcher } from "./test_dispatcher.ts";

function withTask(providers: string[], changes = {}): TestDispatcher {
  const dispatcher = new TestDispatcher();
  for (const provider of providers) dispatcher.join(provider);
  dispatcher.submit("t", changes);
  return dispatcher;
}

Deno.test("a failed attempt goes to another provider, never to one that failed it", () => {
  const codes: Code[] = ["unavailable", "not_found", "aborted", "internal", "canceled"];
  for (const code of codes) {
    const dispatcher = withTask(["p", "q"]);
    assert.deepEqual(dispatcher.fail("p", "a1", code, "no luck"), [
      'retrying t: provider "p" failed: no luck',
      "start t as a2 on q",
    ]);
  }
});

Deno.test("a task waits when only providers that failed it are idle, others pass it", () => {
  const dispatcher = withTask(["p"]);
  dispatcher.submit("t2");
  assert.deepEqual(dispatcher.fail("p", "a1", "unavailable"), [
    'retrying t: provider "p" failed: broken',
    "start t2 as a2 on p",
  ]);
  assert.deepEqual(dispatcher.join("q"), ["start t as a3 on q"]);
});

Deno.test("a provider that failed a task gets it again in a new session", () => {
  const dispatcher = withTask(["p"]);
  dispatcher.fail("p", "a1", "unavailable");
  dispatcher.on({ kind: "leave", provider: "p" });
  assert.deepEqual(dispatcher.join("p"), ["start t as a2 on p"]);
});

Deno.test("a module that is not valid is rejected at once", () => {
  const dispatcher = withTask(["p", "q"]);
  assert.deepEqual(dispatcher.fail("p", "a1", "invalid_argument", "no _start"), [
    'finish t: rejected 126 by provider: provider "p" failed: no _start',
  ]);
});

Deno.test("after the last attempt a task is lost with the last cause", () => {
  const dispatcher = withTask(["p", "q"], { attempts: 2 });
  dispatcher.on({ kind: "leave", provider: "p" });
  assert.deepEqual(dispatcher.on({ kind: "leave", provider: "q" }), [
    'finish t: lost 125 by broker: gave up after 2 attempts: provider "q" was lost',
  ]);
  const once = withTask(["p"], { attempts: 1 });
  assert.deepEqual(once.on({ kind: "leave", provider: "p" }), [
    'finish t: lost 125 by broker: provider "p" was lost',
  ]);
});

Deno.test("a task that only its one provider can run is tried there again after a pause, until its attempts end", () => {
  const dispatcher = withTask(["p"]);
  assert.deepEqual(dispatcher.fail("p", "a1", "internal"), ['retrying t: provider "p" failed: broken']);
  assert.deepEqual(dispatcher.after(RETRY_PAUSE_MS - 1), []);
  assert.deepEqual(dispatcher.after(1), ["start t as a2 on p"]);
  dispatcher.fail("p", "a2", "internal");
  assert.deepEqual(dispatcher.after(RETRY_PAUSE_MS), ["start t as a3 on p"]);
  assert.deepEqual(dispatcher.fail("p", "a3", "internal"), [
    'finish t: lost 125 by broker: gave up after 3 attempts: provider "p" failed: broken',
  ]);
  assert.equal(nextWakeMs(dispatcher.state), null);
});

Deno.test("a task does not go back to who failed it while another provider is connected, be it busy", () => {
  const dispatcher = withTask(["p"]);
  dispatcher.join("q", { taskTimeoutMs: Infinity });
  dispatcher.submit("t2");
  dispatcher.fail("p", "a1", "internal");
  dispatcher.on({ kind: "status", provider: "p", slots: 2, backlog: 0 });
  assert.deepEqual(dispatcher.after(60 * 60_000), []);
  dispatcher.on({ kind: "leave", provider: "q" });
  assert.deepEqual(dispatcher.after(RETRY_PAUSE_MS), ["start t as a4 on p"]);
});

Deno.test("a task that cannot be run again is lost with its attempt", () => {
  const dispatcher = withTask(["p", "q"]);
  dispatcher.on({ kind: "unrepeatable", task: "t", why: "stdin was consumed" });
  dispatcher.on({ kind: "unrepeatable", task: "gone", why: "stdin was consumed" });
  assert.deepEqual(dispatcher.on({ kind: "leave", provider: "p" }), [
    'finish t: lost 125 by broker: provider "p" was lost, and it cannot be run again: stdin was consumed',
  ]);
});

Deno.test("an immediate task does not wait for its second attempt", () => {
  const dispatcher = withTask(["p"], { immediate: true });
  assert.deepEqual(dispatcher.on({ kind: "leave", provider: "p" }), [
    'retrying t: provider "p" was lost',
    'finish t: lost 125 by broker: provider "p" was lost, and no other provider is idle',
  ]);
});

Deno.test("the guest's own failure is a result and never retried", () => {
  const dispatcher = withTask(["p", "q"]);
  assert.deepEqual(dispatcher.end("p", "a1", exited(3)), ["finish t: exit 3"]);
  dispatcher.submit("t2");
  assert.deepEqual(dispatcher.end("p", "a2", failed("trap", "guest", "unreachable")), [
    "finish t2: trap 134 by guest: unreachable",
  ]);
});

Deno.test("a second answer, an unknown attempt and another provider's attempt are ignored and counted", () => {
  const dispatcher = withTask(["p", "q"]);
  assert.deepEqual(dispatcher.end("q", "a1"), []);
  assert.deepEqual(dispatcher.fail("q", "a1", "invalid_argument"), []);
  assert.deepEqual(dispatcher.end("p", "a99"), []);
  assert.deepEqual(dispatcher.end("p", "a1"), ["finish t: exit 0"]);
  assert.deepEqual(dispatcher.end("p", "a1"), []);
  assert.equal(stats(dispatcher.state).totals.ignored, 4);
});

Deno.test("an answer of an attempt that was lost with its provider is ignored when the provider is back", () => {
  const dispatcher = withTask(["p"]);
  dispatcher.on({ kind: "leave", provider: "p" });
  assert.deepEqual(dispatcher.join("p"), ["start t as a2 on p"]);
  assert.deepEqual(dispatcher.end("p", "a1"), []);
  assert.deepEqual(dispatcher.end("p", "a2"), ["finish t: exit 0"]);
});

Deno.test("a peer's message is cut before it is kept", () => {
  const dispatcher = withTask(["p"], { attempts: 1 });
  const [line] = dispatcher.fail("p", "a1", "internal", "x".repeat(60_000));
  assert.ok(line!.length < MAX_MESSAGE_CHARS + 100);
  dispatcher.submit("t2");
  const [second] = dispatcher.end("p", "a2", failed("trap", "guest", "y".repeat(60_000)));
  assert.ok(second!.length < MAX_MESSAGE_CHARS + 100);
});

Deno.test("tasks that avoid too many different providers are lost rather than searched for ever", () => {
  const dispatcher = new TestDispatcher();
  for (let number = 0; number <= MAX_LANES; number++) {
    dispatcher.join(`p${number}`);
    dispatcher.submit(`t${number}`);
  }
  for (let number = 0; number < MAX_LANES; number++) dispatcher.on(suspect(`p${number}`));
  for (let number = 0; number < MAX_LANES; number++) {
    assert.equal(dispatcher.fail(`p${number}`, `a${number + 1}`, "unavailable").length, 1);
  }
  assert.equal(dispatcher.state.lanes.size, MAX_LANES);
  assert.deepEqual(dispatcher.fail(`p${MAX_LANES}`, `a${MAX_LANES + 1}`, "unavailable").slice(0, 2), [
    `retrying t${MAX_LANES}: provider "p${MAX_LANES}" failed: broken`,
    `finish t${MAX_LANES}: lost 125 by broker: ` +
    `provider "p${MAX_LANES}" failed: broken, and too many other tasks are retried`,
  ]);
});

function suspect(provider: string) {
  return { kind: "suspect", provider, suspect: true } as const;
}
