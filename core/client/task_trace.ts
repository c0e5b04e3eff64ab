/** Where a task was when (wasimoff-v1 9), as a client gets it. */

import type { Task_Trace } from "../protocol/gen/wasimoff/v1/messages_pb.ts";

export interface TraceEvent {
  /** A number of `Task.TraceEvent.EventType`. */
  readonly event: number;
  /** By the clock of whoever wrote it. */
  readonly unixNano: bigint;
}

export interface TaskTrace {
  /** When the client began, Unix nanoseconds. */
  readonly created: bigint;
  readonly events: readonly TraceEvent[];
}

/** What came back, and the moment in which it came. */
export function decodeTrace({ created = 0n, events }: Task_Trace, last: TraceEvent): TaskTrace {
  const decoded = events.map(({ event = 0, unixnano = 0n }) => ({ event, unixNano: unixnano }));
  return { created, events: [...decoded, last] };
}
