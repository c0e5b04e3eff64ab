/** Runs the dispatcher: feeds it events with the time, does what it says, wakes it when it waits. */

import type { Effect } from "./dispatcher/effect.ts";
import type { DispatcherEvent } from "./dispatcher/event.ts";
import type { DispatcherState } from "./dispatcher/state.ts";
import { nextWakeMs, transition } from "./dispatcher/transition.ts";

/** A timer may be set this far ahead at most: beyond 2^31 ms the platform fires at once. */
const MAX_TIMER_MS = 60 * 60_000;

export interface DispatchLoopOptions {
  readonly state: DispatcherState;
  /** Unix milliseconds of a clock that does not jump. */
  readonly now: () => number;
  /** Does one effect; an event that it dispatches is taken after the effects of this one. */
  readonly perform: (effect: Effect) => void;
}

export class DispatchLoop {
  readonly #options: DispatchLoopOptions;
  /** Events that came while another was under way: a peer that ends while it is written to, for one. */
  readonly #events: DispatcherEvent[] = [];
  #busy = false;
  #stopped = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wakeMs = Infinity;

  constructor(options: DispatchLoopOptions) {
    this.#options = options;
  }

  dispatch(event: DispatcherEvent): void {
    this.#events.push(event);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) this.#take(next);
    } finally {
      this.#busy = false;
    }
  }

  /** Events are still taken, but nothing happens by time any more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #take(event: DispatcherEvent): void {
    const { state, now, perform } = this.#options;
    const nowMs = now();
    for (const effect of transition(state, event, nowMs)) perform(effect);
    this.#arm(nowMs);
  }

  /** A timer that is set for too early only costs a tick, so it is moved only when it is too late. */
  #arm(nowMs: number): void {
    const wakeMs = nextWakeMs(this.#options.state);
    if (this.#stopped || wakeMs === null || wakeMs >= this.#wakeMs) return;
    clearTimeout(this.#timer);
    this.#wakeMs = wakeMs;
    this.#timer = setTimeout(() => {
      this.#wakeMs = Infinity;
      this.dispatch({ kind: "tick" });
    }, Math.min(MAX_TIMER_MS, Math.max(1, Math.ceil(wakeMs - nowMs))));
  }
}
