/** The moments of a task at its provider (wasimoff-v1 9), for both generations. */

import { unixNanos } from "../unix_nanos.ts";
import { Task_TraceEvent_EventType as Event } from "../protocol/gen/wasimoff/v1/messages_pb.ts";

const NS_PER_MS = 1e6;

/** Gets each moment in order; times are Unix nanoseconds. */
export type AddTraceEvent = (event: Event, unixNano: bigint) => void;

export class TaskTrace {
  readonly #add: AddTraceEvent;
  readonly #now: () => bigint;
  #lastNs = 0n;

  constructor(add: AddTraceEvent, now: () => bigint = unixNanos) {
    this.#add = add;
    this.#now = now;
  }

  received(): void {
    this.#mark(Event.ProviderTaskReceived);
  }

  /** A slot is there; it is warm, so that nothing lies between these three. */
  taken(): void {
    this.#mark(Event.ProviderGetWorker);
    this.#mark(Event.ProviderPostToWorker);
    this.#mark(Event.ProviderWorkerPrepare);
  }

  /** The guest has ended now, after it ran for so long. */
  ran(durationMs: number): void {
    const doneNs = this.#now();
    this.#mark(Event.ProviderWorkerExecute, doneNs - BigInt(Math.round(durationMs * NS_PER_MS)));
    this.#mark(Event.ProviderWorkerDone, doneNs);
  }

  answered(ok: boolean): void {
    this.#mark(ok ? Event.ProviderTransmitResult : Event.ProviderError);
  }

  /** Never before the moment that was marked last: readers nest these times. */
  #mark(event: Event, atNs = this.#now()): void {
    if (atNs > this.#lastNs) this.#lastNs = atNs;
    this.#add(event, this.#lastNs);
  }
}
