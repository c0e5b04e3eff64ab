/** The queue: lanes of tasks that the same providers may take, in the order of their coming. */

import { MAX_LANES, RETRY_PAUSE_MS } from "./limits.ts";
import { LinkedQueue } from "./linked_queue.ts";
import type { Group, Lane, Provider, Task } from "./records.ts";
import { missing } from "./requirements.ts";
import type { DispatcherState, Step } from "./state.ts";

/** Lets a task wait. False when it is retried, needs a lane of its own and there are too many. */
export function enqueue({ state, nowMs }: Step, task: Task): boolean {
  const retried = task.attempts > 0;
  const key = retried ? `avoid ${task.avoid.map((provider) => provider.number).join(" ")}` : "";
  let lane = task.group.lanes.get(key);
  if (lane === undefined) {
    if (retried && state.lanes.size >= MAX_LANES) return false;
    lane = openLane(state, key, task);
  }
  task.lane = lane;
  task.waitingMs = nowMs;
  task.order = ++state.lastOrder;
  queueOf(lane, task).push(task);
  lane.length++;
  state.queued++;
  state.queuedBytes += task.bytes;
  if (lane.length === 1) refreshLane(state, lane);
  return true;
}

/** Takes a task out of its lane. */
export function dequeue(state: DispatcherState, task: Task): void {
  const lane = task.lane!;
  queueOf(lane, task).remove(task);
  task.lane = null;
  lane.length--;
  state.queued--;
  state.queuedBytes -= task.bytes;
  if (lane.length > 0) return;
  lane.group.lanes.delete(lane.key);
  state.lanes.delete(lane);
  state.timers.disarm(lane);
}

/** The task of a lane that is to go first. */
function headOf(lane: Lane): Task {
  return (lane.priority.first ?? lane.normal.first)!;
}

/** The task that is to go first of all that the provider may take; null when there is none. */
export function nextFor(state: DispatcherState, provider: Provider): Task | null {
  let best: Task | null = null;
  for (const lane of state.lanes) {
    if (!provider.groups.has(lane.group) || lane.avoid.includes(provider)) continue;
    const head = headOf(lane);
    if (best === null || goesBefore(head, best)) best = head;
  }
  return best;
}

function goesBefore(a: Task, b: Task): boolean {
  if (a.spec.priority !== b.spec.priority) return a.spec.priority;
  if (a.lane!.retried !== b.lane!.retried) return a.lane!.retried;
  return a.order < b.order;
}

/** Starts or stops the clock of every lane that the provider's coming, going or draining may concern. */
export function refreshLanes(state: DispatcherState, groups: Iterable<Group>): void {
  for (const group of groups) {
    for (const lane of group.lanes.values()) refreshLane(state, lane);
  }
}

/** When the first task of an unserved lane has waited or avoided for long enough; infinite for a served one. */
export function queueTimeoutMs(state: DispatcherState, lane: Lane): number {
  if (lane.unservedMs === null) return Infinity;
  const firstMs = Math.min(
    lane.priority.first?.waitingMs ?? Infinity,
    lane.normal.first?.waitingMs ?? Infinity,
  );
  return Math.max(firstMs, lane.unservedMs) +
    (lane.avoid.length > 0 ? RETRY_PAUSE_MS : state.options.queueTimeoutMs);
}

/** Whether anybody connected could take such tasks, now or later. */
export function isServed({ group, avoid }: Pick<Lane, "group" | "avoid">): boolean {
  return group.serving > avoid.filter((provider) => provider.connected && provider.slots > 0).length;
}

/** Why nobody connected can take the lane's tasks. */
export function whyUnserved(state: DispatcherState, lane: Pick<Lane, "group" | "avoid">): string {
  const others = [...state.providers.values()].filter((provider) => !lane.avoid.includes(provider));
  return missing(others, lane.group, lane.avoid.length > 0);
}

function openLane(state: DispatcherState, key: string, task: Task): Lane {
  const lane: Lane = {
    kind: "lane",
    key,
    group: task.group,
    retried: task.attempts > 0,
    avoid: task.avoid,
    priority: new LinkedQueue(),
    normal: new LinkedQueue(),
    length: 0,
    unservedMs: null,
    dueMs: Infinity,
    heapIndex: -1,
  };
  task.group.lanes.set(key, lane);
  state.lanes.add(lane);
  return lane;
}

function refreshLane(state: DispatcherState, lane: Lane): void {
  if (isServed(lane)) {
    lane.unservedMs = null;
  } else if (lane.unservedMs === null) {
    lane.unservedMs = state.nowMs;
  } else {
    return;
  }
  state.timers.arm(lane, queueTimeoutMs(state, lane));
}

function queueOf(lane: Lane, task: Task) {
  return task.spec.priority ? lane.priority : lane.normal;
}
