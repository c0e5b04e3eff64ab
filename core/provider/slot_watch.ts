/** Holds a slot to its limits of time, CPU time and memory from outside, with one timer. */

import { failed, type Outcome } from "../outcome.ts";
import type { SlotLimits } from "./slot.ts";
import type { ProcessUsage, SlotProcess } from "./slot_process.ts";

/** Tasks that are shorter are not looked at: most are, and none does harm in that time. */
export const FIRST_LOOK_MS = 50;
/** Shorter than the kernel counts CPU time in, so a limit is exceeded by little more than this. */
const MIN_LOOK_MS = 10;
/** A process that seems far from its limits may come near them by several threads at once. */
const MAX_LOOK_MS = 100;
/** Threads of one slot that are busy at once: the guest's own, and for a while those that compile and collect. */
const BUSY_THREADS = 2;
/** How fast a process can take memory, about. */
const GROWTH_BYTES_PER_MS = 2 * 1024 * 1024;
/** What setTimeout can count to. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface WatchOptions {
  readonly process: SlotProcess;
  readonly limits: SlotLimits;
  /** What the process may have, as far as it is known before any file is sent. */
  readonly maxRssBytes: number;
  /** Told once when a limit is exceeded. */
  readonly onExceeded: (outcome: Outcome) => void;
}

/** The end of a phase for the clock on the wall. */
interface Deadline {
  readonly atMs: number;
  readonly outcome: () => Outcome;
}

/** One phase at a time runs against the clock; memory is watched in all of them, CPU time in the guest's. */
export class SlotWatch {
  readonly #options: WatchOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #deadline: Deadline | null = null;
  /** What of the deadline is left while it is paused. */
  #pausedMs = 0;
  /** CPU time at the guest's start; null while none is counted. */
  #cpuStartMs: number | null = null;
  #maxRssBytes: number;
  #peakRssBytes = 0;
  #nextLookMs: number;
  #stopped = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#maxRssBytes = options.maxRssBytes;
    this.#nextLookMs = options.process.usage === undefined ? Infinity : performance.now() + FIRST_LOOK_MS;
  }

  /** The most memory that was seen under this task, bytes; 0 when nobody looked. */
  get peakRssBytes(): number {
    return this.#peakRssBytes;
  }

  /** Whether the slot is no longer watched: its task has ended, or it was killed. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** The time of the guest begins. Where nobody can tell its CPU time, all of its time counts as such. */
  startGuest(): void {
    const { timeoutMs, cpuMs } = this.#options.limits;
    const usage = cpuMs === null ? null : this.#look();
    if (usage !== null) {
      this.#cpuStartMs = usage.cpuMs;
      this.#nextLookMs = Math.min(this.#nextLookMs, performance.now() + this.#pauseAfter(usage));
    } else if (cpuMs !== null && cpuMs < timeoutMs) {
      return this.startPhase(cpuMs, () => cpuExceeded(cpuMs));
    }
    this.startPhase(timeoutMs, () => failed("timeout", "provider", tooLong("guest ran longer", timeoutMs)));
  }

  /** Something else begins that must be over after `ms`. */
  startPhase(ms: number, outcome: () => Outcome): void {
    this.#deadline = { atMs: performance.now() + ms, outcome };
    this.#schedule();
  }

  /** The guest does not run (any more), so its CPU time is no longer counted. */
  endGuest(): void {
    this.#cpuStartMs = null;
  }

  /** The clock stands still while the slot waits for us. */
  pause(): void {
    if (this.#deadline === null) return;
    this.#pausedMs = this.#deadline.atMs - performance.now();
    this.#deadline = { ...this.#deadline, atMs: Infinity };
  }

  resume(): void {
    if (this.#deadline !== null) this.startPhase(this.#pausedMs, this.#deadline.outcome);
  }

  /** The process may have that much more. */
  allowMemory(bytes: number): void {
    this.#maxRssBytes += bytes;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return; // what was waited for has come too late
    const nextMs = Math.min(this.#deadline?.atMs ?? Infinity, this.#nextLookMs) - performance.now();
    if (nextMs === Infinity) return;
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, Math.min(Math.ceil(nextMs), MAX_TIMER_MS)));
  }

  #tick(): void {
    const outcome = this.#exceeded(performance.now());
    if (outcome === null) return this.#schedule();
    this.stop();
    this.#options.onExceeded(outcome);
  }

  #exceeded(nowMs: number): Outcome | null {
    if (this.#deadline !== null && nowMs >= this.#deadline.atMs) return this.#deadline.outcome();
    if (nowMs < this.#nextLookMs) return null;
    const usage = this.#look();
    this.#nextLookMs = usage === null ? Infinity : nowMs + this.#pauseAfter(usage);
    if (usage === null) return null;
    if (usage.rssBytes > this.#maxRssBytes) return memoryExceeded(this.#maxRssBytes);
    return this.#cpuLeftMs(usage) <= 0 ? cpuExceeded(this.#options.limits.cpuMs!) : null;
  }

  #look(): ProcessUsage | null {
    const usage = this.#options.process.usage?.() ?? null;
    if (usage !== null) this.#peakRssBytes = Math.max(this.#peakRssBytes, usage.rssBytes);
    return usage;
  }

  #cpuLeftMs({ cpuMs }: ProcessUsage): number {
    if (this.#cpuStartMs === null) return Infinity;
    return this.#cpuStartMs + this.#options.limits.cpuMs! - cpuMs;
  }

  /** Until then no limit can be exceeded by much. */
  #pauseAfter(usage: ProcessUsage): number {
    const cpuMs = this.#cpuLeftMs(usage) / BUSY_THREADS;
    const memoryMs = (this.#maxRssBytes - usage.rssBytes) / GROWTH_BYTES_PER_MS;
    return Math.max(MIN_LOOK_MS, Math.min(cpuMs, memoryMs, MAX_LOOK_MS));
  }
}

function cpuExceeded(cpuMs: number): Outcome {
  return failed("timeout", "provider", tooLong("guest used more CPU time", cpuMs));
}

/**
 * Blamed on the guest, as its trap at a full linear memory is: `memory` by the provider is a slot that died for
 * reasons unknown, which is worth another attempt.
 */
function memoryExceeded(bytes: number): Outcome {
  const message = `guest made its process larger than its limits explain: more than ${bytes} bytes`;
  return failed("memory", "guest", message);
}

function tooLong(what: string, ms: number): string {
  return `${what} than its limit: ${ms} ms`;
}
