/** `--trace`: where a task was when, grouped by who wrote it as the existing client does (wasimoff-v1 1.2 and 9). */

import type { TaskTrace, TraceEvent } from "../core/client/task_trace.ts";
import { Task_TraceEvent_EventType as Event } from "../core/protocol/gen/wasimoff/v1/messages_pb.ts";

const NS_PER_MS = 1e6;

/** Whose clock an event was written by, from its number. */
const COMPONENTS: readonly (readonly [name: string, first: number, last: number])[] = [
  ["client", 10, 19],
  ["broker", 20, 29],
  ["provider", 30, 37],
];

/** The name that the protocol has for an event. */
export function eventName(event: number): string {
  return Event[event] ?? `event ${event}`;
}

/** One line for each event: when, how long after the one before, who, what. */
export function traceTable({ events }: TaskTrace): string[] {
  const rows = inOneTime(events).toSorted((a, b) => a.atMs - b.atMs);
  let beforeMs = rows[0]?.atMs ?? 0;
  const firstMs = beforeMs;
  return rows.map(({ event, atMs }) => {
    const at = (atMs - firstMs).toFixed(3).padStart(10);
    const took = `+${(atMs - beforeMs).toFixed(3)}`.padStart(11);
    beforeMs = atMs;
    return `${at} ms ${took}  ${componentOf(event).padEnd(8)}  ${eventName(event)}`;
  });
}

interface TimedEvent {
  readonly event: number;
  readonly atMs: number;
}

/**
 * Nobody's clocks agree. What a component did lies within what its peer saw of it, and as nothing more is known, in
 * the middle: the broker between request and response of the client, the provider between task and result.
 */
function inOneTime(events: readonly TraceEvent[]): TimedEvent[] {
  const originNs = events[0]?.unixNano ?? 0n;
  const timed = events.map(({ event, unixNano }) => ({
    event,
    atMs: Number(unixNano - originNs) / NS_PER_MS,
  }));
  const brokerShift = shiftInto(timed, "broker", [Event.ClientTransmitRequest, Event.ClientReceivedResponse]);
  const providerShift = shiftInto(timed, "provider", [
    Event.BrokerTransmitProviderTask,
    Event.BrokerReceivedProviderResult,
  ]);
  const shifts = new Map([["broker", brokerShift], ["provider", brokerShift + providerShift]]);
  return timed.map(({ event, atMs }) => ({ event, atMs: atMs + (shifts.get(componentOf(event)) ?? 0) }));
}

/** How far the events of a component move; not at all when something is missing or they do not fit. */
function shiftInto(timed: readonly TimedEvent[], component: string, [from, to]: [Event, Event]): number {
  const times = timed.filter(({ event }) => componentOf(event) === component).map(({ atMs }) => atMs);
  const startMs = timed.findLast(({ event }) => event === from)?.atMs;
  const endMs = timed.findLast(({ event }) => event === to)?.atMs;
  if (times.length === 0 || startMs === undefined || endMs === undefined) return 0;
  const [first, last] = [Math.min(...times), Math.max(...times)];
  if (last - first > endMs - startMs) return 0;
  return (startMs + endMs) / 2 - (first + last) / 2;
}

function componentOf(event: number): string {
  return COMPONENTS.find(([, first, last]) => event >= first && event <= last)?.[0] ?? "unknown";
}
