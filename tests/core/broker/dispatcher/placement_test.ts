/** Tests of who gets which slot. */

import assert from "node:assert/strict";
import { MAX_MODULES_PER_PROVIDER } from "../../../../core/broker/dispatcher/limits.ts";
import { providerView } from "../../../../core/broker/dispatcher/queries.ts";
import { ref, TestDispatcher } from "./test_dispatcher.ts";

Deno.test("waiting tasks start by priority, then in the order of their coming", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.submit("t1");
  dispatcher.submit("t2", { require: { gpu: "yes" } });
  dispatcher.submit("t3", { priority: true });
  dispatcher.submit("t4");
  dispatcher.submit("t5", { priority: true, require: { gpu: "yes" } });
  assert.deepEqual(dispatcher.join("p", { slots: 5, labels: { gpu: "yes" } }), [
    "start t3 as a1 on p",
    "start t5 as a2 on p",
    "start t1 as a3 on p",
    "start t2 as a4 on p",
    "start t4 as a5 on p",
  ]);
});

Deno.test("a retried task goes to the front of its class", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("p");
  dispatcher.submit("t1");
  dispatcher.submit("t2");
  dispatcher.submit("t3", { priority: true });
  dispatcher.on({ kind: "leave", provider: "p" });
  assert.deepEqual(dispatcher.join("q", { slots: 3 }), [
    "start t3 as a2 on q",
    "start t1 as a3 on q",
    "start t2 as a4 on q",
  ]);
});

Deno.test("a waiting task whose deadline has come is not started, even before the tick", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.submit("t1", { deadline: dispatcher.nowMs + 10 });
  dispatcher.submit("t2");
  dispatcher.nowMs += 10;
  assert.deepEqual(dispatcher.join("p"), [
    "finish t1: timeout 124 by broker: timed out while queued: the deadline has passed, and every matching provider is busy",
    "start t2 as a1 on p",
  ]);
});

Deno.test("placement prefers a provider that ran the module, then one that holds it, then free slots", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("ran", { slots: 2 });
  dispatcher.submit("t1", { module: ref(7) });
  dispatcher.end("ran", "a1");
  dispatcher.join("cached", { slots: 2, cached: [ref(7)] });
  dispatcher.join("large", { slots: 64 });
  const started = [2, 3, 4, 5, 6].flatMap((number) => dispatcher.submit(`t${number}`, { module: ref(7) }));
  assert.deepEqual(started, [
    "start t2 as a2 on ran",
    "start t3 as a3 on ran",
    "start t4 as a4 on cached",
    "start t5 as a5 on cached",
    "start t6 as a6 on large",
  ]);
});

Deno.test("a busy provider counts as warm again when a slot frees", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("warm", { cached: [ref(7)] });
  dispatcher.join("large", { slots: 64 });
  assert.deepEqual(dispatcher.submit("t1", { module: ref(7) }), ["start t1 as a1 on warm"]);
  assert.deepEqual(dispatcher.submit("t2", { module: ref(7) }), ["start t2 as a2 on large"]);
  dispatcher.end("warm", "a1");
  assert.deepEqual(dispatcher.submit("t3", { module: ref(7) }), ["start t3 as a3 on warm"]);
});

Deno.test("a provider's modules are remembered up to a limit, the least recently used go first", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("p", { cached: Array.from({ length: 1_000 }, (_, number) => ref(number)) });
  assert.equal(dispatcher.state.warm.size, MAX_MODULES_PER_PROVIDER);
  dispatcher.submit("t", { module: ref(5_000) });
  dispatcher.end("p", "a1");
  assert.equal(dispatcher.state.warm.size, MAX_MODULES_PER_PROVIDER);
  assert.equal(dispatcher.state.warm.has(ref(63)), false);
  assert.equal(dispatcher.state.warm.has(ref(0)), true);
  dispatcher.on({ kind: "leave", provider: "p" });
  assert.equal(dispatcher.state.warm.size, 0);
});

Deno.test("placement prefers the quicker of two equal providers", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("slow", { cached: [ref(1)] });
  dispatcher.submit("t1");
  dispatcher.end("slow", "a1", undefined, [100, 130]);
  dispatcher.join("quick", { slots: 1, labels: { only: "here" } });
  dispatcher.submit("t2", { require: { only: "here" } });
  dispatcher.end("quick", "a2", undefined, [50, 52]);
  assert.equal(providerView(dispatcher.state, "slow")!.latencyMs, 6);
  assert.equal(providerView(dispatcher.state, "slow")!.speed, 1);
  assert.equal(Math.round(providerView(dispatcher.state, "quick")!.latencyMs * 10), 4);
  assert.equal(providerView(dispatcher.state, "quick")!.speed, 1.2);
  assert.deepEqual(dispatcher.submit("t3"), ["start t3 as a3 on quick"]);
});

Deno.test("a provider that claims absurd durations moves its own figures only within bounds", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("p");
  for (const [index, durationMs] of [NaN, -5, Infinity, 1e300].entries()) {
    dispatcher.submit(`t${index}`);
    dispatcher.end("p", `a${index + 1}`, undefined, [durationMs, 10]);
  }
  const { latencyMs, speed } = providerView(dispatcher.state, "p")!;
  assert.ok(latencyMs >= 0 && latencyMs <= 10);
  assert.ok(speed >= 0.1 && speed <= 10);
});

Deno.test("placement finds the one provider left that a task does not avoid, among many", () => {
  const dispatcher = new TestDispatcher();
  for (let number = 0; number < 40; number++) dispatcher.join(`p${number}`);
  dispatcher.submit("t", { attempts: 40 });
  for (let attempt = 1; attempt < 40; attempt++) {
    const { provider } = dispatcher.state.attempts.get(`a${attempt}`)!;
    const [, start] = dispatcher.fail(provider.id, `a${attempt}`, "unavailable");
    assert.match(start!, new RegExp(`^start t as a${attempt + 1} on p`));
  }
  assert.equal(new Set(dispatcher.state.tasks.get("t")!.avoid).size, 39);
});
