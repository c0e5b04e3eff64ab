/** What a task goes through, for clients that want to see it (wasimoff-v1 9). */

import { unixNanos } from "../unix_nanos.ts";
import { Task_TraceEvent_EventType as Event } from "../protocol/gen/wasimoff/v1/messages_pb.ts";

/** A moment in the life of a task. */
export interface TraceMoment {
  /** A number of `Task.TraceEvent.EventType`. */
  readonly event: number;
  readonly unixNano: bigint;
}

export interface TaskTraceOptions {
  /** When the task was made, as its client says. */
  readonly createdNs: bigint;
  /** What its client has noted so far. */
  readonly moments: readonly TraceMoment[];
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** Moments of one task: ten attempts have a hundred. */
const MAX_MOMENTS = 256;

/** Grows while the task goes its way; what comes beyond MAX_MOMENTS is dropped. */
export class TaskTrace {
  readonly createdNs: bigint;
  readonly #moments: TraceMoment[];
  readonly #now: () => number;

  constructor({ createdNs, moments, now }: TaskTraceOptions) {
    this.createdNs = createdNs;
    this.#moments = moments.slice(0, MAX_MOMENTS);
    this.#now = now;
  }

  /** In the order in which they were noted. */
  get moments(): readonly TraceMoment[] {
    return this.#moments;
  }

  /** Notes that something happens now. */
  mark(event: Event): void {
    this.#note({ event, unixNano: unixNanos(this.#now()) });
  }

  /** Takes over what a provider has noted, and nothing else: moments of others are not its to tell. */
  addOfProvider(moments: readonly TraceMoment[]): void {
    for (const moment of moments) {
      if (moment.event >= Event.ProviderError && moment.event <= Event.ProviderTransmitResult) {
        this.#note(moment);
      }
    }
  }

  #note(moment: TraceMoment): void {
    if (this.#moments.length < MAX_MOMENTS) this.#moments.push(moment);
  }
}
