/** Cost of one placement by the dispatcher, as queue and providers grow. Run with `deno bench`. */

import type { Effect } from "../../core/broker/dispatcher/effect.ts";
import { MemoryTaskLog } from "../../core/broker/dispatcher/memory_task_log.ts";
import { createState, type DispatcherState } from "../../core/broker/dispatcher/state.ts";
import { transition } from "../../core/broker/dispatcher/transition.ts";
import type { TaskSpec } from "../../core/broker/task.ts";
import { exited } from "../../core/outcome.ts";
import { ref, spec } from "../core/broker/dispatcher/test_dispatcher.ts";

const SLOTS = 4;
const MODULES = 16;
const EXIT = exited(0);

/** A broker's load: its tasks differ in module, and every fifth has requirements and a deadline. */
class Load {
  readonly #state: DispatcherState;
  readonly #running: { attempt: string; provider: string }[] = [];
  readonly #specs: TaskSpec[] = [];
  #oldest = 0;
  #tasks = 0;
  #nowMs = 1_000;

  constructor(queued: number, providers: number) {
    this.#state = createState({ attemptPrefix: "a", log: new MemoryTaskLog(), maxQueue: Infinity });
    for (let number = 0; number < MODULES; number++) {
      const module = ref(number);
      const odd = number % 5 === 0;
      this.#specs.push(spec(odd ? { module, require: { arch: "x" }, deadline: 1e12 } : { module }));
    }
    for (let number = 0; number < providers; number++) {
      this.#apply(transition(this.#state, {
        kind: "join",
        provider: `p${number}`,
        name: `p${number}`,
        generation: 2,
        slots: SLOTS,
        labels: { arch: "x" },
        cached: [],
        taskMemoryBytes: Infinity,
        taskTimeoutMs: 60_000,
      }, 0));
    }
    const full = queued === 0 ? 0 : providers * SLOTS + queued;
    for (let count = 0; count < full; count++) this.submit();
  }

  submit(): void {
    const task = `t${++this.#tasks}`;
    const chosen = this.#specs[this.#tasks % MODULES]!;
    this.#apply(transition(this.#state, { kind: "submit", task, spec: chosen, bytes: 100 }, ++this.#nowMs));
  }

  /** Ends the attempt that began first. */
  end(): void {
    const { attempt, provider } = this.#running[this.#oldest]!;
    if (++this.#oldest === 100_000) this.#running.splice(0, this.#oldest), this.#oldest = 0;
    const elapsedMs = 5 + this.#tasks % 7;
    this.#apply(transition(
      this.#state,
      { kind: "ended", provider, attempt, outcome: EXIT, durationMs: 4, elapsedMs },
      ++this.#nowMs,
    ));
  }

  #apply(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === "start") this.#running.push(effect);
    }
  }
}

for (const providers of [10, 100, 1_000]) {
  for (const queued of [1_000, 10_000, 100_000]) {
    let load: Load | undefined;
    Deno.bench({
      name: `${queued} queued, ${providers} providers`,
      group: "submit and end one task, all slots taken",
      fn() {
        load ??= new Load(queued, providers);
        load.submit();
        load.end();
      },
    });
  }
  let load: Load | undefined;
  Deno.bench({
    name: `${providers} providers`,
    group: "submit and end one task, all slots idle",
    fn() {
      load ??= new Load(0, providers);
      load.submit();
      load.end();
    },
  });
}

Deno.bench({
  name: "floor: a map entry made, found and deleted",
  group: "submit and end one task, all slots idle",
  baseline: true,
  fn() {
    const id = `t${++floorTasks}`;
    floor.set(id, { id });
    floor.delete(floor.get(id)!.id);
  },
});

const floor = new Map<string, { id: string }>();
let floorTasks = 0;
