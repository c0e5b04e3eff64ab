/** A dispatcher under test: short words for events, and a memory of what it asked for. */

import type { Effect, FinishEffect } from "../../../../core/broker/dispatcher/effect.ts";
import type { DispatcherEvent, JoinEvent } from "../../../../core/broker/dispatcher/event.ts";
import type { DispatcherOptions } from "../../../../core/broker/dispatcher/limits.ts";
import { createState, type DispatcherState } from "../../../../core/broker/dispatcher/state.ts";
import type { TaskLogEntry } from "../../../../core/broker/dispatcher/task_log.ts";
import { transition } from "../../../../core/broker/dispatcher/transition.ts";
import type { TaskSpec } from "../../../../core/broker/task.ts";
import type { Code } from "../../../../core/errors.ts";
import { exited, type Outcome } from "../../../../core/outcome.ts";
import type { FileRef } from "../../../../core/storage/file_store.ts";

export const MIB = 1024 * 1024;

/** A reference that stands for some file. */
export function ref(number: number): FileRef {
  return `sha256:${number.toString(16).padStart(64, "0")}`;
}

/** A task that requires nothing and may be tried three times. */
export function spec(changes: Partial<TaskSpec> = {}): TaskSpec {
  return {
    module: ref(1),
    args: [],
    env: [],
    preopens: [],
    artifacts: [],
    timeoutMs: null,
    memoryBytes: null,
    cpuMs: null,
    diskBytes: null,
    outputBytes: null,
    deterministic: false,
    lenientArtifacts: false,
    priority: false,
    deadline: null,
    immediate: false,
    require: {},
    attempts: 3,
    ...changes,
  };
}

/** Attempt ids are `a1`, `a2` and so on; providers are named after their ids. */
export class TestDispatcher {
  readonly state: DispatcherState;
  readonly log: TaskLogEntry[] = [];
  nowMs = 1_000_000;

  constructor(options: Partial<DispatcherOptions> = {}) {
    const log = { append: (entry: TaskLogEntry) => void this.log.push(entry) };
    this.state = createState({ attemptPrefix: "a", log, ...options });
  }

  on(event: DispatcherEvent): string[] {
    return this.effects(event).map(short);
  }

  effects(event: DispatcherEvent): Effect[] {
    return transition(this.state, event, this.nowMs);
  }

  join(provider: string, changes: Partial<JoinEvent> = {}): string[] {
    const event = {
      name: provider,
      generation: 2 as const,
      slots: 1,
      labels: {},
      cached: [],
      taskMemoryBytes: 512 * MIB,
      taskTimeoutMs: 600_000,
    };
    return this.on({ kind: "join", provider, ...event, ...changes });
  }

  submit(task: string, changes: Partial<TaskSpec> = {}, bytes = 100): string[] {
    return this.on({ kind: "submit", task, spec: spec(changes), bytes });
  }

  end(provider: string, attempt: string, outcome: Outcome = exited(0), [durationMs, elapsedMs] = [8, 10]) {
    return this.on({
      kind: "ended",
      provider,
      attempt,
      outcome,
      durationMs: durationMs!,
      elapsedMs: elapsedMs!,
    });
  }

  fail(provider: string, attempt: string, code: Code, message = "broken"): string[] {
    return this.on({ kind: "failed", provider, attempt, code, message });
  }

  /** Lets time pass, then ticks. */
  after(ms: number): string[] {
    this.nowMs += ms;
    return this.on({ kind: "tick" });
  }
}

/** One line that says all that matters of an effect. */
export function short(effect: Effect): string {
  switch (effect.kind) {
    case "start":
      return `start ${effect.task} as ${effect.attempt} on ${effect.provider}`;
    case "cancelAttempt":
      return `cancel ${effect.attempt} on ${effect.provider}: ${effect.reason.code}`;
    case "progress":
      return `${effect.state} ${effect.task}: ${effect.detail}`;
    case "finish":
      return `finish ${effect.task}: ${ending(effect)}`;
  }
}

function ending({ outcome: { reason, origin, status, message } }: FinishEffect): string {
  return reason === "exit" ? `exit ${status}` : `${reason} ${status} by ${origin}: ${message}`;
}
