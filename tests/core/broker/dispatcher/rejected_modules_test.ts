/** Tests of modules that nobody may run for a while. */

import assert from "node:assert/strict";
import {
  MAX_BLAMED_MODULES,
  MAX_REJECTED_MODULES,
  REJECTED_MS,
} from "../../../../core/broker/dispatcher/limits.ts";
import { stats } from "../../../../core/broker/dispatcher/queries.ts";
import { failed } from "../../../../core/outcome.ts";
import { ref, spec, TestDispatcher } from "./test_dispatcher.ts";

const TRAP = failed("trap", "provider", "slot died");
const REJECTED = "rejected 125 by broker: module is rejected for another";
const CAUSE = 'slots died under it on provider "p" and provider "q", change it or try again then';

/** Two idle providers of one slot each; their attempts are numbered from here. */
class Pair extends TestDispatcher {
  #last = 0;

  constructor(names = ["p", "q"]) {
    super();
    names.forEach((name, index) => this.join(["p", "q"][index]!, { name }));
  }

  /** Kills a slot of each provider by one task; returns what the second death led to. */
  kill(module: number): string[] {
    this.submit(`k${++this.#last}`, { module: ref(module) });
    this.die();
    return this.die();
  }

  /** The latest attempt dies. */
  die(): string[] {
    const attempt = [...this.state.attempts.values()].at(-1)!;
    return this.end(attempt.provider.id, attempt.id, TRAP);
  }
}

Deno.test("a module is rejected for ten minutes after slots of two providers died under it", () => {
  const pair = new Pair();
  pair.kill(1);
  assert.deepEqual(pair.submit("t1"), [`finish t1: ${REJECTED} 600 s: ${CAUSE}`]);
  assert.deepEqual(pair.submit("other", { module: ref(2) }), ["start other as a3 on p"]);
  pair.nowMs += REJECTED_MS - 1;
  assert.deepEqual(pair.submit("t2"), [`finish t2: ${REJECTED} 1 s: ${CAUSE}`]);
  pair.nowMs += 1;
  assert.deepEqual(pair.submit("t3"), ["start t3 as a4 on q"]);
  assert.equal(pair.state.rejected.size, 0);
  assert.equal(stats(pair.state).totals.modulesRejected, 1);
});

Deno.test("a client is told that trying the same again is of no use", () => {
  const pair = new Pair();
  pair.kill(1);
  const [effect] = pair.effects({ kind: "submit", task: "t", spec: spec(), bytes: 1 });
  assert.ok(effect?.kind === "finish");
  assert.deepEqual([effect.code, effect.attempts], ["failed_precondition", 0]);
});

Deno.test("tasks of a rejected module that wait end at once, others go on", () => {
  const pair = new Pair();
  pair.submit("killer");
  pair.submit("other", { module: ref(2) });
  pair.submit("same");
  pair.submit("different", { module: ref(2) });
  pair.submit("urgent", { priority: true });
  pair.end("q", "a2"); // "urgent" goes first
  assert.equal(pair.end("q", "a3", failed("trap", "guest", "no")).at(-1), "start same as a4 on q");
  pair.submit("waits");
  assert.deepEqual(pair.end("p", "a1", TRAP), [
    'retrying killer: provider "p" failed: slot died',
    "start different as a5 on p",
  ]);
  assert.deepEqual(pair.end("q", "a4"), ["finish same: exit 0", "start killer as a6 on q"]);
  assert.deepEqual(pair.end("q", "a6", TRAP), [
    'finish killer: trap 134 by provider: provider "p" and provider "q" failed: slot died',
    `finish waits: ${REJECTED} 600 s: ${CAUSE}`,
  ]);
  assert.equal(pair.state.queued, 0);
  assert.deepEqual(pair.end("p", "a5"), ["finish different: exit 0"]);
});

Deno.test("a task of a rejected module that runs is left alone, but not placed again", () => {
  const pair = new Pair();
  pair.join("r", { slots: 9 });
  for (const task of ["t1", "t2", "t3"]) assert.match(pair.submit(task)[0]!, /on r$/);
  pair.on({ kind: "status", provider: "r", slots: 3, backlog: 0 });
  pair.kill(1);
  assert.deepEqual(pair.end("r", "a1"), ["finish t1: exit 0"]);
  assert.deepEqual(pair.end("r", "a2", TRAP), [`finish t2: ${REJECTED} 600 s: ${CAUSE}`]);
  assert.deepEqual(pair.on({ kind: "leave", provider: "r" }), [`finish t3: ${REJECTED} 600 s: ${CAUSE}`]);
});

Deno.test("a second death while the module is rejected rejects it for longer", () => {
  const pair = new Pair();
  pair.join("r", { slots: 9 });
  pair.submit("t1");
  pair.submit("t2");
  pair.end("r", "a1", TRAP); // a3 on p
  pair.end("r", "a2", TRAP); // a4 on q
  pair.end("p", "a3", TRAP);
  pair.nowMs += 60_000;
  pair.kill(2);
  pair.end("q", "a4", TRAP);
  assert.match(pair.submit("t3")[0]!, /another 600 s: slots died under it on provider "r" and provider "q"/);
  assert.deepEqual([...pair.state.rejected.keys()], [2, 1].map(ref));
});

Deno.test("two deaths at providers of one name reject no module", () => {
  const pair = new Pair(["same", "same"]);
  assert.deepEqual(pair.kill(1), [
    'finish k1: trap 134 by provider: provider "same" and provider "same" failed: slot died',
  ]);
  assert.deepEqual(pair.submit("t"), ["start t as a3 on p"]);
});

Deno.test("a provider under which too many modules die rejects no more of them, until that has passed", () => {
  const pair = new Pair();
  for (let module = 1; module <= MAX_BLAMED_MODULES + 3; module++) pair.kill(module);
  assert.deepEqual([...pair.state.rejected.keys()], [1, 2, 3, 4].map(ref));
  assert.equal(pair.state.providers.get("p")!.blamed.size, MAX_BLAMED_MODULES + 1);
  pair.nowMs += REJECTED_MS;
  pair.kill(9);
  assert.match(pair.submit("t", { module: ref(9) })[0]!, new RegExp(REJECTED));
});

Deno.test("killing slots by one module again and again does not make its providers less believed", () => {
  const pair = new Pair();
  for (let round = 0; round < 10; round++) {
    pair.kill(1);
    pair.nowMs += REJECTED_MS;
  }
  pair.kill(1);
  assert.match(pair.submit("t")[0]!, new RegExp(REJECTED));
});

Deno.test("the oldest of too many rejected modules is forgotten", () => {
  const pair = new Pair();
  let module = 0;
  while (module <= MAX_REJECTED_MODULES) {
    for (let left = MAX_BLAMED_MODULES; left > 0; left--) pair.kill(++module);
    for (const provider of ["p", "q"]) {
      pair.on({ kind: "leave", provider });
      pair.join(provider);
    }
  }
  assert.equal(pair.state.rejected.size, MAX_REJECTED_MODULES);
  assert.match(pair.submit("t1", { module: ref(1) })[0]!, /^start t1/);
  assert.match(pair.submit("t2", { module: ref(module) })[0]!, new RegExp(REJECTED));
});
