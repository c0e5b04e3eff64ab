import { deepEqual, equal } from "node:assert/strict";
import { DispatchLoop } from "../../../core/broker/dispatch_loop.ts";
import type { Effect } from "../../../core/broker/dispatcher/effect.ts";
import type { JoinEvent } from "../../../core/broker/dispatcher/event.ts";
import { MemoryTaskLog } from "../../../core/broker/dispatcher/memory_task_log.ts";
import { createState } from "../../../core/broker/dispatcher/state.ts";
import { WasimoffError } from "../../../core/errors.ts";
import { fakeClock } from "../../support/session_pair.ts";
import { settle } from "../../support/settle.ts";
import { spec } from "./dispatcher/test_dispatcher.ts";

const SPEC = spec();
const JOIN: JoinEvent = {
  kind: "join",
  provider: "p",
  name: "p",
  generation: 2,
  slots: 2,
  labels: {},
  cached: [],
  taskMemoryBytes: Infinity,
  taskTimeoutMs: 1_000,
};

function loopThat(perform: (effect: Effect, loop: DispatchLoop) => void) {
  const state = createState({ attemptPrefix: "a", log: new MemoryTaskLog() });
  const loop: DispatchLoop = new DispatchLoop({
    state,
    now: () => performance.now(),
    perform: (effect) => perform(effect, loop),
  });
  return { loop, state };
}

Deno.test("DispatchLoop.dispatch() takes an event of an effect after all effects of the one before", () => {
  const done: string[] = [];
  const { loop } = loopThat((effect, loop) => {
    done.push(`${effect.kind} ${"task" in effect ? effect.task : effect.attempt}`);
    if (effect.kind !== "start" || effect.task !== "t1") return;
    loop.dispatch({ kind: "cancel", task: "t2", reason: new WasimoffError("canceled", "client has left") });
  });
  for (const task of ["t1", "t2"]) loop.dispatch({ kind: "submit", task, spec: SPEC, bytes: 1 });
  done.length = 0;
  loop.dispatch(JOIN);
  loop.stop();
  deepEqual(done, ["start t1", "start t2", "cancelAttempt a2"]);
});

Deno.test("DispatchLoop.dispatch() goes on after an effect that threw", () => {
  let fails = true;
  const { loop, state } = loopThat(() => {
    if (fails) throw new TypeError("cannot perform");
  });
  try {
    loop.dispatch({ kind: "submit", task: "t1", spec: SPEC, bytes: 1 });
  } catch (error) {
    equal((error as Error).message, "cannot perform");
  }
  fails = false;
  loop.dispatch({ kind: "submit", task: "t2", spec: SPEC, bytes: 1 });
  loop.stop();
  equal(state.tasks.size, 2);
});

Deno.test("DispatchLoop.stop() leaves no timer behind, nor does an event that comes later", async () => {
  using clock = fakeClock();
  const kinds: string[] = [];
  const { loop } = loopThat(({ kind }) => kinds.push(kind));
  loop.stop();
  loop.dispatch(JOIN);
  loop.dispatch({ kind: "submit", task: "t", spec: SPEC, bytes: 1 });
  await clock.tick(3_600_000);
  await settle();
  deepEqual(kinds, ["start"]);
});
