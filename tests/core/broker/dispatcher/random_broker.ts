/** A broker to which anything happens in any order, with a model that watches what must never be. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { isAvailable, levelOf } from "../../../../core/broker/dispatcher/availability.ts";
import type { Effect } from "../../../../core/broker/dispatcher/effect.ts";
import type { DispatcherEvent, Generation } from "../../../../core/broker/dispatcher/event.ts";
import { nextFor } from "../../../../core/broker/dispatcher/lanes.ts";
import { QUEUE_TIMEOUT_MS, RETRY_PAUSE_MS } from "../../../../core/broker/dispatcher/limits.ts";
import { nextWakeMs } from "../../../../core/broker/dispatcher/transition.ts";
import type { TaskSpec } from "../../../../core/broker/task.ts";
import { type Code, WasimoffError } from "../../../../core/errors.ts";
import { exited, failed } from "../../../../core/outcome.ts";
import type { FileRef } from "../../../../core/storage/file_store.ts";
import { MAX_BOUNCES } from "../../../../core/broker/dispatcher/retry.ts";
import { MIB, ref, spec, TestDispatcher } from "./test_dispatcher.ts";

/** What a provider answers that has no slot free. */
const BUSY = "resource_exhausted";

/** One thing that happens; the numbers choose whom it happens to. */
export type Happening = readonly [kind: string, which: number, how: number];

const KINDS = ["submit", "submit", "submit", "end", "end", "fail", "die", "die", "cancel", "join", "join"];
const RARE = ["unrepeatable", "status", "suspect", "leave", "wait", "tick", "lie", "again"];

export const happenings: fc.Arbitrary<Happening[]> = fc.array(
  fc.tuple(fc.constantFrom(...KINDS, ...RARE), fc.nat(999), fc.nat(999)),
  { maxLength: 120, size: "max" },
);

interface ModelProvider {
  slots: number;
  backlog: number;
  suspect: boolean;
  readonly gpu: boolean;
  readonly generation: Generation;
  readonly held: Set<string>;
  /** When it failed a task. */
  readonly failedTasks: Map<string, number>;
  /** Tasks under which its slots died. */
  readonly killers: Set<string>;
}

interface ModelTask {
  readonly spec: TaskSpec;
  starts: number;
  bounces: number;
  deaths: number;
  /** A provider of the first generation could not carry it. */
  beyondV1: boolean;
}

/** Turns happenings into events, and checks every effect against the model. */
export class RandomBroker {
  readonly dispatcher = new TestDispatcher({ maxQueue: 12, maxQueueBytes: 1_000 });
  readonly events: [DispatcherEvent, number][] = [];
  readonly effects: Effect[][] = [];
  readonly #tasks = new Map<string, ModelTask>();
  readonly #finished = new Set<string>();
  readonly #providers = new Map<string, ModelProvider>();
  /** Attempts that may be reported. */
  readonly #attempts = new Map<string, { task: string; provider: string }>();
  /** Attempts whose end decides nothing. */
  readonly #cancelled = new Set<string>();
  readonly #seen = new Set<string>();
  /** The provider whose answer is being told, when it says that it has no slot, whatever it has announced. */
  #busy: string | null = null;
  #count = 0;

  happen([kind, which, how]: Happening): void {
    const task = pick(this.#tasks.keys(), which) ?? "none";
    const provider = pick(this.#providers.keys(), which) ?? "none";
    const attempt = pick(this.#attempts.keys(), which);
    switch (kind) {
      case "submit":
        return this.#submit(which, how);
      case "cancel": {
        const code = how % 2 === 0 ? "canceled" : "deadline_exceeded";
        return this.#apply({ kind: "cancel", task, reason: new WasimoffError(code, "enough") });
      }
      case "unrepeatable":
        return this.#apply({ kind: "unrepeatable", task, why: "stdin was consumed" });
      case "join":
        return this.#join(which, how);
      case "status":
        return this.#status(provider, how % 4, which % 3);
      case "suspect":
        if (this.#providers.has(provider)) this.#providers.get(provider)!.suspect = how % 2 === 0;
        return this.#apply({ kind: "suspect", provider, suspect: how % 2 === 0 });
      case "leave":
        return this.#leave(provider);
      case "wait":
        this.dispatcher.nowMs += how * how;
        return this.#apply({ kind: "tick" });
      case "tick":
        this.dispatcher.nowMs = Math.max(nextWakeMs(this.dispatcher.state) ?? 0, this.dispatcher.nowMs);
        return this.#apply({ kind: "tick" });
      case "lie":
        return this.#lie(provider, attempt ?? "a1");
      case "again":
        return this.#report(pick(this.#seen, which) ?? "a1", how);
      default:
        if (attempt !== undefined) this.#report(attempt, how, kind);
    }
  }

  /** Everybody leaves and time passes: nothing may be left of anything. */
  drain(): void {
    for (const provider of [...this.#providers.keys()]) this.#leave(provider);
    // Retried tasks wait once until they avoid nobody, and once for anybody.
    for (let wait = 0; wait < 2; wait++) {
      this.dispatcher.nowMs += QUEUE_TIMEOUT_MS;
      this.#apply({ kind: "tick" });
    }
    assert.deepEqual([...this.#tasks.keys()].filter((task) => !this.#finished.has(task)), []);
    const { tasks, attempts, providers, lanes, timers, warm, queued, queuedBytes } = this.dispatcher.state;
    const left = [tasks, attempts, providers, lanes, timers, warm].map(({ size }) => size);
    assert.deepEqual([...left, queued, queuedBytes], [0, 0, 0, 0, 0, 0, 0, 0]);
  }

  #submit(which: number, how: number): void {
    const task = `t${++this.#count}`;
    const deadline = how % 5 === 0 ? this.dispatcher.nowMs + which * 10 - 100 : null;
    const chosen = spec({
      module: ref(which % 3),
      priority: how % 3 === 0,
      immediate: how % 7 === 0,
      require: which % 4 === 0 ? { gpu: "yes" } : {},
      memoryBytes: which % 9 === 0 ? 2_048 * MIB : null,
      timeoutMs: how % 2 === 0 ? 1_000 : null,
      attempts: 1 + how % 4,
      deadline,
      deterministic: which % 6 === 0,
    });
    this.#tasks.set(task, { spec: chosen, starts: 0, bounces: 0, deaths: 0, beyondV1: false });
    this.#apply({ kind: "submit", task, spec: chosen, bytes: which % 200 });
  }

  #join(which: number, how: number): void {
    const provider = `p${++this.#count}`;
    const gpu = which % 2 === 0;
    const slots = how % 4;
    const generation = how % 5 === 0 ? 1 : 2;
    this.#providers.set(provider, {
      slots,
      backlog: 0,
      suspect: false,
      gpu,
      generation,
      held: new Set(),
      failedTasks: new Map(),
      killers: new Set(),
    });
    this.#apply({
      kind: "join",
      provider,
      name: which % 5 === 0 ? "twin" : provider,
      generation,
      slots,
      labels: gpu ? { gpu: "yes" } : {},
      cached: how % 3 === 0 ? [ref(which % 3)] : [],
      taskMemoryBytes: 512 * MIB,
      taskTimeoutMs: 60_000,
    });
  }

  #status(provider: string, slots: number, backlog: number): void {
    const model = this.#providers.get(provider);
    if (model !== undefined) Object.assign(model, { slots, backlog: slots === 0 ? 0 : backlog });
    this.#apply({ kind: "status", provider, slots, backlog });
  }

  #leave(provider: string): void {
    for (const attempt of this.#providers.get(provider)?.held ?? []) this.#attempts.delete(attempt);
    this.#providers.delete(provider);
    this.#apply({ kind: "leave", provider });
  }

  #lie(provider: string, attempt: string): void {
    if (this.#attempts.get(attempt)?.provider === provider) return;
    this.#ignored({ kind: "failed", provider, attempt, code: "invalid_argument", message: "a lie" });
  }

  /** Reports an attempt's end; one that ended before must not be believed. */
  #report(attempt: string, how: number, kind = "end"): void {
    const known = this.#attempts.get(attempt);
    const provider = known?.provider ?? `p${how % 10}`;
    const codes: Code[] = ["unavailable", "aborted", "out_of_range", "invalid_argument", "internal", BUSY];
    const outcome = kind !== "die"
      ? exited(how % 3)
      : failed(how % 2 ? "trap" : "memory", "provider", "died");
    const event: DispatcherEvent = kind === "fail"
      ? { kind: "failed", provider, attempt, code: codes[how % codes.length]!, message: "no luck" }
      : { kind: "ended", provider, attempt, outcome, durationMs: how, elapsedMs: how + 2 };
    if (known === undefined) return this.#ignored(event);
    this.#attempts.delete(attempt);
    const model = this.#providers.get(provider)!;
    model.held.delete(attempt);
    const died = kind === "die" || (event.kind === "failed" && event.code === "aborted");
    if (died) return this.#died(model, known.task, event);
    if (event.kind === "failed" && !this.#cancelled.has(attempt)) this.#failed(model, known.task, event.code);
    this.#busy = event.kind === "failed" && event.code === BUSY ? provider : null;
    this.#apply(event);
    this.#busy = null;
  }

  /** A task that is not cancelled is run once more elsewhere or ends; with the second death it has ended. */
  #died(provider: ModelProvider, task: string, event: DispatcherEvent & { readonly attempt: string }): void {
    if (this.#cancelled.has(event.attempt)) return this.#apply(event);
    provider.killers.add(task);
    this.#tasks.get(task)!.deaths++;
    this.#apply(event);
    if (this.#tasks.get(task)!.deaths < 2) return;
    const [end] = this.effects.at(-1)!;
    assert.ok(end?.kind === "finish" && end.task === task && end.outcome.origin === "provider");
    assert.ok(end.outcome.reason === "trap" || end.outcome.reason === "memory");
  }

  /** A task that is sent back because all slots are taken has lost nothing, unless that never ends. */
  #failed(provider: ModelProvider, task: string, code: Code): void {
    const model = this.#tasks.get(task)!;
    if (code === "out_of_range" && provider.generation === 1) {
      model.starts--;
      model.beyondV1 = true;
    } else if (code === BUSY && !model.spec.immediate && model.bounces++ < MAX_BOUNCES) model.starts--;
    else provider.failedTasks.set(task, this.dispatcher.nowMs);
  }

  #ignored(event: DispatcherEvent): void {
    this.#apply(event);
    assert.deepEqual(this.effects.at(-1), []);
  }

  #apply(event: DispatcherEvent): void {
    this.events.push([event, this.dispatcher.nowMs]);
    const effects = this.dispatcher.effects(event);
    this.effects.push(effects);
    for (const effect of effects) this.#check(effect);
    this.#checkState();
  }

  #check(effect: Effect): void {
    assert.ok(!this.#finished.has(effect.kind === "cancelAttempt" ? "" : effect.task), "a task ended twice");
    if (effect.kind === "finish") this.#finished.add(effect.task);
    if (effect.kind === "cancelAttempt") {
      assert.ok(this.#attempts.has(effect.attempt));
      this.#cancelled.add(effect.attempt);
    }
    if (effect.kind !== "start") return;
    const provider = this.#providers.get(effect.provider)!;
    const task = this.#tasks.get(effect.task)!;
    const room = task.spec.immediate ? provider.slots : provider.slots + provider.backlog;
    assert.ok(provider.held.size < room && !provider.suspect, "a provider got too much");
    assert.ok(provider.gpu || task.spec.require["gpu"] === undefined, "a requirement was not met");
    assert.equal(task.spec.memoryBytes, null);
    if (provider.generation === 1) this.#checkOlder(effect.task, task);
    const failedMs = provider.failedTasks.get(effect.task) ?? -Infinity;
    assert.ok(
      this.dispatcher.nowMs >= failedMs + RETRY_PAUSE_MS,
      "a task went back to who failed it without a pause",
    );
    assert.ok(!provider.killers.has(effect.task), "a task went back to where it killed a slot");
    assert.ok(++task.starts <= task.spec.attempts + task.deaths, "a task was tried too often");
    assert.ok(!this.#isRejected(task.spec.module), "a rejected module was started");
    assert.ok(!this.#seen.has(effect.attempt), "an attempt id was used twice");
    this.#seen.add(effect.attempt);
    provider.held.add(effect.attempt);
    this.#attempts.set(effect.attempt, effect);
  }

  /** The first generation gets what it can carry, when nobody of the second has a slot. */
  #checkOlder(id: string, task: ModelTask): void {
    assert.ok(!task.spec.deterministic && !task.beyondV1, "an old provider got what it cannot carry");
    const avoided = this.dispatcher.state.tasks.get(id)!.avoid.map((provider) => provider.id);
    for (const [provider, { generation, slots, suspect, gpu, held }] of this.#providers) {
      if (generation === 1 || suspect || held.size >= slots || avoided.includes(provider)) continue;
      if (provider === this.#busy) continue;
      assert.ok(
        !gpu && task.spec.require["gpu"] !== undefined,
        "a free slot of the second generation was left",
      );
    }
  }

  #isRejected(module: string): boolean {
    const rejection = this.dispatcher.state.rejected.get(module as FileRef);
    return rejection !== undefined && rejection.untilMs > this.dispatcher.nowMs;
  }

  #checkState(): void {
    const { state } = this.dispatcher;
    const waiting = [...state.tasks.values()].filter(({ lane }) => lane !== null);
    assert.equal(state.queued, waiting.length);
    assert.equal(state.queuedBytes, waiting.reduce((sum, { bytes }) => sum + bytes, 0));
    assert.equal(state.tasks.size, this.#tasks.size - this.#finished.size);
    assert.deepEqual([...state.attempts.keys()].sort(), [...this.#attempts.keys()].sort());
    for (const task of state.tasks.values()) {
      assert.ok((task.lane === null) !== (task.attempt === null), "a task neither waits nor runs, or both");
      assert.ok(task.lane === null || !this.#isRejected(task.spec.module), "a rejected module waits");
    }
    for (const provider of state.providers.values()) {
      assert.equal(provider.attempts.size, this.#providers.get(provider.id)!.held.size);
      assert.equal(provider.level, isAvailable(provider) ? levelOf(provider) : 0);
      for (const listed of provider.groups.values()) {
        assert.ok(listed >= provider.level && listed >= provider.listedLevel);
      }
      assert.ok(!isAvailable(provider) || nextFor(state, provider) === null, "a slot is idle in vain");
    }
  }
}

function pick<T>(among: Iterable<T>, which: number): T | undefined {
  const list = [...among];
  return list[which % list.length];
}
