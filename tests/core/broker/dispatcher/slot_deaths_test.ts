/** Tests of slots that die under a task. */

import assert from "node:assert/strict";
import {
  MAX_GROUPS,
  MAX_LANES,
  MAX_MESSAGE_CHARS,
  RETRY_PAUSE_MS,
} from "../../../../core/broker/dispatcher/limits.ts";
import { providerView, stats } from "../../../../core/broker/dispatcher/queries.ts";
import { nextWakeMs } from "../../../../core/broker/dispatcher/transition.ts";
import type { TaskSpec } from "../../../../core/broker/task.ts";
import { WasimoffError } from "../../../../core/errors.ts";
import { failed } from "../../../../core/outcome.ts";
import { TestDispatcher } from "./test_dispatcher.ts";

const TRAP = failed("trap", "provider", "slot died");
const MEMORY = failed("memory", "provider", "slot died at 250 of 256 MiB");
const LEFT = new WasimoffError("canceled", "the client left");

function withTask(providers: string[], changes: Partial<TaskSpec> = {}): TestDispatcher {
  const dispatcher = new TestDispatcher();
  for (const provider of providers) dispatcher.join(provider);
  dispatcher.submit("t", changes);
  return dispatcher;
}

Deno.test("a task whose slot died is run once more on another provider, whatever attempts it has", () => {
  for (const attempts of [1, 3]) {
    const dispatcher = withTask(["p", "q", "r"], { attempts });
    assert.deepEqual(dispatcher.end("p", "a1", TRAP), [
      'retrying t: provider "p" failed: slot died',
      "start t as a2 on q",
    ]);
    assert.deepEqual(dispatcher.end("q", "a2"), ["finish t: exit 0"]);
  }
});

Deno.test("a task whose slots died twice ends so, and names both providers", () => {
  const dispatcher = withTask(["p", "q", "r"]);
  dispatcher.end("p", "a1", TRAP);
  assert.deepEqual(dispatcher.end("q", "a2", TRAP), [
    'finish t: trap 134 by provider: provider "p" and provider "q" failed: slot died',
  ]);
  assert.equal(stats(dispatcher.state).totals.slotDeaths, 2);
});

Deno.test("one of two deaths for want of memory is enough to say so", () => {
  for (const [first, second] of [[TRAP, MEMORY], [MEMORY, TRAP], [MEMORY, MEMORY]] as const) {
    const dispatcher = withTask(["p", "q"]);
    dispatcher.end("p", "a1", first);
    assert.deepEqual(dispatcher.end("q", "a2", second), [
      'finish t: memory 137 by provider: provider "p" and provider "q" failed: slot died at 250 of 256 MiB',
    ]);
  }
});

Deno.test("an older provider that fails with aborted tells of a death, too", () => {
  const dispatcher = withTask(["p", "q"], { attempts: 1 });
  assert.deepEqual(dispatcher.fail("p", "a1", "aborted", "slot is gone"), [
    'retrying t: provider "p" failed: slot is gone',
    "start t as a2 on q",
  ]);
  assert.deepEqual(dispatcher.fail("q", "a2", "aborted", "slot is gone"), [
    'finish t: trap 134 by provider: provider "p" and provider "q" failed: slot is gone',
  ]);
});

Deno.test("a guest's own trap, and a provider's other reasons, are no deaths", () => {
  const ends = [
    failed("trap", "guest", "no"),
    failed("memory", "guest", "no"),
    failed("limit", "provider", "no"),
  ];
  for (const outcome of ends) {
    const dispatcher = withTask(["p", "q"]);
    const { status, reason, origin } = outcome;
    assert.deepEqual(dispatcher.end("p", "a1", outcome), [`finish t: ${reason} ${status} by ${origin}: no`]);
  }
});

Deno.test("a task that cannot be run again ends with the first death", () => {
  const dispatcher = withTask(["p", "q"]);
  dispatcher.on({ kind: "unrepeatable", task: "t", why: "stdin was consumed" });
  assert.deepEqual(dispatcher.end("p", "a1", MEMORY), [
    'finish t: memory 137 by provider: provider "p" failed: slot died at 250 of 256 MiB, ' +
    "and it cannot be run again: stdin was consumed",
  ]);
});

Deno.test("a task ends with the first death at once when nobody else could ever take it", () => {
  assert.deepEqual(withTask(["p"]).end("p", "a1", TRAP), [
    'finish t: trap 134 by provider: provider "p" failed: slot died, and no other provider is connected',
  ]);
  const picky = new TestDispatcher();
  picky.join("p", { labels: { gpu: "yes" } });
  picky.join("q");
  picky.submit("t", { require: { gpu: "yes" } });
  assert.deepEqual(picky.end("p", "a1", TRAP), [
    'finish t: trap 134 by provider: provider "p" failed: slot died, and no other provider has label gpu=yes',
  ]);
  const draining = withTask(["p", "q"]);
  draining.on({ kind: "status", provider: "q", slots: 0, backlog: 0 });
  assert.deepEqual(draining.end("p", "a1", TRAP), [
    'finish t: trap 134 by provider: provider "p" failed: slot died, ' +
    "and every other matching provider is draining",
  ]);
});

Deno.test("a task waits for another provider that is busy, and others pass it where its slot died", () => {
  const dispatcher = withTask(["p", "q"]);
  dispatcher.submit("t2");
  dispatcher.submit("t3");
  assert.deepEqual(dispatcher.end("p", "a1", TRAP), [
    'retrying t: provider "p" failed: slot died',
    "start t3 as a3 on p",
  ]);
  dispatcher.submit("t4");
  assert.deepEqual(dispatcher.end("q", "a2"), ["finish t2: exit 0", "start t as a4 on q"]);
  assert.deepEqual(dispatcher.end("p", "a3"), ["finish t3: exit 0", "start t4 as a5 on p"]);
});

Deno.test("a task that waits for another provider ends with the death soon after the last one has left", () => {
  const dispatcher = withTask(["p", "q"]);
  dispatcher.submit("t2");
  dispatcher.end("p", "a1", TRAP);
  assert.deepEqual(dispatcher.on({ kind: "leave", provider: "q" }), [
    'retrying t2: provider "q" was lost',
    "start t2 as a3 on p",
  ]);
  assert.deepEqual(dispatcher.after(RETRY_PAUSE_MS), [
    'finish t: trap 134 by provider: provider "p" failed: slot died, and no other provider is connected',
  ]);
});

Deno.test("a task that is to start at once ends with the death when nobody else is idle", () => {
  const dispatcher = withTask(["p", "q"], { immediate: true });
  dispatcher.submit("t2");
  assert.deepEqual(dispatcher.end("p", "a1", TRAP), [
    'retrying t: provider "p" failed: slot died',
    'finish t: trap 134 by provider: provider "p" failed: slot died, and no other provider is idle',
  ]);
});

Deno.test("providers that are lost before or after a death use up attempts, the death does not", () => {
  const dispatcher = withTask(["p", "q", "r", "s"], { attempts: 2 });
  dispatcher.on({ kind: "leave", provider: "p" });
  assert.equal(dispatcher.end("q", "a2", TRAP)[1], "start t as a3 on r");
  assert.deepEqual(dispatcher.on({ kind: "leave", provider: "r" }), [
    'finish t: lost 125 by broker: gave up after 3 attempts: provider "r" was lost',
  ]);
  const early = withTask(["p", "q", "r"], { attempts: 2 });
  early.end("p", "a1", TRAP);
  assert.equal(early.on({ kind: "leave", provider: "q" })[1], "start t as a3 on r");
});

Deno.test("what nobody else could take is not judged by a group that was forgotten", () => {
  const dispatcher = withTask(["p", "q"]);
  for (let number = 0; number < MAX_GROUPS; number++) {
    dispatcher.submit(`t${number}`, { timeoutMs: number + 1 });
    dispatcher.end("q", `a${number + 2}`);
  }
  dispatcher.on({ kind: "leave", provider: "q" });
  assert.deepEqual(dispatcher.end("p", "a1", TRAP), [
    'finish t: trap 134 by provider: provider "p" failed: slot died, and no other provider is connected',
  ]);
});

Deno.test("a task may go back to who failed it, but not to where its slot died", () => {
  const dispatcher = withTask(["p", "q"], { attempts: 9 });
  dispatcher.end("p", "a1", TRAP);
  for (let attempt = 2; attempt < 5; attempt++) {
    assert.deepEqual(dispatcher.fail("q", `a${attempt}`, "internal"), [
      'retrying t: provider "q" failed: broken',
    ]);
    assert.deepEqual(dispatcher.after(RETRY_PAUSE_MS), [`start t as a${attempt + 1} on q`]);
  }
  dispatcher.on({ kind: "leave", provider: "q" });
  assert.equal(
    dispatcher.after(RETRY_PAUSE_MS)[0],
    'finish t: trap 134 by provider: provider "p" failed: slot died, and no other provider is connected',
  );
});

Deno.test("a death of a cancelled task acknowledges the cancel, and is nobody's fault", () => {
  const dispatcher = withTask(["p", "q"]);
  dispatcher.on({ kind: "cancel", task: "t", reason: LEFT });
  assert.deepEqual(dispatcher.end("p", "a1", TRAP), [
    'finish t: cancelled 143 by client: cancelled: acknowledged by provider "p"',
  ]);
  assert.equal(stats(dispatcher.state).totals.slotDeaths, 0);
});

Deno.test("a cancel and a deadline end a task that waits for its further attempt", () => {
  for (const timed of [false, true]) {
    const dispatcher = withTask(["p", "q"], timed ? { deadline: 1_000_100 } : {});
    dispatcher.submit("t2");
    dispatcher.end("p", "a1", TRAP);
    const lines = timed ? dispatcher.after(100) : dispatcher.on({ kind: "cancel", task: "t", reason: LEFT });
    assert.deepEqual(lines, [
      timed
        ? "finish t: timeout 124 by broker: timed out while queued: " +
          "the deadline has passed, and every matching provider is busy"
        : "finish t: cancelled 143 by client: cancelled while queued: the client left",
    ]);
  }
});

Deno.test("a death at the deadline is a timeout", () => {
  const dispatcher = withTask(["p", "q"], { deadline: 1_000_100 });
  dispatcher.nowMs += 100;
  assert.deepEqual(dispatcher.end("p", "a1", TRAP), [
    "finish t: timeout 124 by broker: timed out while queued: the deadline has passed",
  ]);
});

Deno.test("a late death of an attempt that went elsewhere only frees the slot", () => {
  const dispatcher = withTask(["p", "q"], { timeoutMs: 1_000 });
  assert.equal(dispatcher.after(11_000).at(-1), "start t as a2 on q");
  assert.deepEqual(dispatcher.end("p", "a1", TRAP), []);
  assert.deepEqual(dispatcher.end("p", "a1", TRAP), []);
  assert.deepEqual(dispatcher.end("q", "a2", TRAP), [
    'retrying t: provider "q" failed: slot died',
  ]);
  assert.deepEqual(dispatcher.after(RETRY_PAUSE_MS), ["start t as a3 on p"]);
  assert.equal(stats(dispatcher.state).totals.slotDeaths, 1);
});

Deno.test("a death frees the slot and leaves what is known of the provider as it was", () => {
  const dispatcher = withTask(["p"]);
  dispatcher.end("p", "a1", TRAP, [500, 900]);
  assert.deepEqual(providerView(dispatcher.state, "p"), {
    id: "p",
    name: "p",
    generation: 2,
    labels: {},
    slots: 1,
    running: 0,
    suspect: false,
    latencyMs: 0,
    speed: 1,
  });
  assert.equal(dispatcher.state.durations.size, 0);
  assert.equal(dispatcher.state.warm.size, 0);
  assert.deepEqual(dispatcher.submit("t2"), ["start t2 as a2 on p"]);
});

Deno.test("a death that comes after its provider has answered and left is one", () => {
  const dispatcher = withTask(["p"]);
  dispatcher.on({ kind: "answered", provider: "p", attempt: "a1" });
  dispatcher.on({ kind: "leave", provider: "p" });
  dispatcher.join("q");
  assert.equal(dispatcher.end("p", "a1", TRAP)[1], "start t as a2 on q");
  dispatcher.end("q", "a2");
  assert.equal(nextWakeMs(dispatcher.state), null);
});

Deno.test("a long message hides neither provider", () => {
  const dispatcher = withTask(["p", "q"]);
  const long = failed("trap", "provider", "x".repeat(60_000));
  dispatcher.end("p", "a1", long);
  const [line] = dispatcher.end("q", "a2", long);
  assert.ok(line!.startsWith('finish t: trap 134 by provider: provider "p" and provider "q" failed: xxx'));
  assert.ok(line!.length < MAX_MESSAGE_CHARS + 100);
});

Deno.test("a task ends with the death when too many others are retried", () => {
  const dispatcher = new TestDispatcher();
  for (let number = 0; number <= MAX_LANES; number++) {
    dispatcher.join(`p${number}`);
    dispatcher.submit(`t${number}`);
    dispatcher.on({ kind: "suspect", provider: `p${number}`, suspect: true });
  }
  for (let number = 0; number < MAX_LANES; number++) dispatcher.end(`p${number}`, `a${number + 1}`, TRAP);
  assert.equal(dispatcher.state.lanes.size, MAX_LANES);
  const who = `provider "p${MAX_LANES}" failed: slot died`;
  assert.deepEqual(dispatcher.end(`p${MAX_LANES}`, `a${MAX_LANES + 1}`, TRAP), [
    `retrying t${MAX_LANES}: ${who}`,
    `finish t${MAX_LANES}: trap 134 by provider: ${who}, and too many other tasks are retried`,
  ]);
});
