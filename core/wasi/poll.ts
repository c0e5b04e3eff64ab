/** poll_oneoff: waits for the first of several clocks and descriptors. */

import { CLOCKID, ERRNO, EVENT_BYTES, EVENT_HANGUP, EVENTTYPE, RIGHTS, SUBCLOCK_ABSTIME } from "./abi.ts";
import { clockNs } from "./clock.ts";
import { InputStream, OpenFile } from "./descriptors.ts";
import { fail, WasiFault } from "./fault.ts";
import type { FunctionTable } from "./function_table.ts";
import type { Guest } from "./guest.ts";

/** Most subscriptions of one call: as many as there can be descriptors, read and write, with clocks. */
const SUBSCRIPTIONS_MAX = 4096;
/** Longest single sleep, milliseconds: what `setTimeout` can count. */
const SLEEP_MAX_MS = 2 ** 31 - 1;
const NS_PER_MS = 1_000_000n;
/** What a stream promises to take or give without saying more. */
const STREAM_READY_BYTES = 1n;

/** Where the fields of a subscription are; userdata u64 @0 and tag u8 @8 are the same in both layouts. */
export interface SubscriptionLayout {
  readonly bytes: number;
  /** Clock id u32; then, each 8 bytes further: timeout u64, precision u64, flags u16. */
  readonly clock: number;
  /** Descriptor u32. */
  readonly fd: number;
}

export const SUBSCRIPTION_OF_PREVIEW1: SubscriptionLayout = { bytes: 48, clock: 16, fd: 16 };
/** wasi_unstable has a further identifier u64 before the clock id. */
export const SUBSCRIPTION_OF_UNSTABLE: SubscriptionLayout = { bytes: 56, clock: 24, fd: 16 };

/** What has come of a subscription so far. */
interface Subscription {
  readonly userdata: bigint;
  readonly type: number;
  /** For a clock: how long until it is due, nanoseconds; null for everything else. */
  readonly remainingNs: bigint | null;
  /** Resolves when a stream is ready; null for everything else. */
  readonly ready: Promise<void> | null;
  due: boolean;
  readonly errno: number;
  readonly bytes: bigint;
  /** What the event says of a descriptor besides. */
  readonly flags: number;
}

function parse(guest: Guest, at: number, layout: SubscriptionLayout): Subscription {
  const userdata = guest.memory.u64(at);
  const type = guest.memory.u8(at + 8);
  const plain = { userdata, type, remainingNs: null, ready: null, due: true, errno: 0, bytes: 0n, flags: 0 };
  try {
    if (type === EVENTTYPE.CLOCK) {
      const remainingNs = remaining(guest, at + layout.clock);
      return { ...plain, remainingNs, due: remainingNs <= 0n };
    }
    if (type !== EVENTTYPE.FD_READ && type !== EVENTTYPE.FD_WRITE) fail(ERRNO.INVAL);
    return { ...plain, ...readiness(guest, guest.memory.u32(at + layout.fd), type) };
  } catch (error) {
    // A wrong subscription is an event of its own; only a bad pointer fails the whole call.
    if (error instanceof WasiFault && error.errno !== ERRNO.FAULT) return { ...plain, errno: error.errno };
    throw error;
  }
}

/** The CPU-time clocks stand still while a guest waits, so nobody can wait for them. */
function remaining(guest: Guest, at: number): bigint {
  const id = guest.memory.u32(at);
  if (id !== CLOCKID.REALTIME && id !== CLOCKID.MONOTONIC) fail(ERRNO.INVAL);
  const now = clockNs(guest, id);
  const timeout = guest.memory.u64(at + 8);
  return (guest.memory.u16(at + 24) & SUBCLOCK_ABSTIME) !== 0 ? timeout - now : timeout;
}

/** Files never block, and writing to a stream blocks in `fd_write` itself; only input can be waited for. */
function readiness(guest: Guest, fd: number, type: number): Partial<Subscription> {
  const descriptor = guest.descriptors.get(fd);
  const reads = type === EVENTTYPE.FD_READ;
  descriptor.require(RIGHTS.POLL_FD_READWRITE);
  descriptor.require(reads ? RIGHTS.FD_READ : RIGHTS.FD_WRITE);
  if (descriptor instanceof OpenFile) {
    const left = Math.max(0, descriptor.inode.size - descriptor.position);
    return { bytes: reads ? BigInt(left) : STREAM_READY_BYTES };
  }
  if (!(descriptor instanceof InputStream)) return { bytes: STREAM_READY_BYTES };
  if (descriptor.ended) return { flags: EVENT_HANGUP };
  const ready = descriptor.input.ready?.() ?? true;
  return ready === true ? { bytes: STREAM_READY_BYTES } : { bytes: STREAM_READY_BYTES, ready, due: false };
}

function writeEvents(
  guest: Guest,
  subscriptions: readonly Subscription[],
  events: number,
  out: number,
): number {
  let at = events >>> 0;
  let count = 0;
  for (const { userdata, type, due, errno, bytes, flags } of subscriptions) {
    if (!due) continue;
    guest.memory.bytes(at, EVENT_BYTES).fill(0);
    guest.memory.setU64(at, userdata);
    guest.memory.setU16(at + 8, errno);
    guest.memory.setU8(at + 10, type);
    guest.memory.setU64(at + 16, bytes);
    guest.memory.setU16(at + 24, flags);
    at += EVENT_BYTES;
    count += 1;
  }
  guest.memory.setU32(out, count);
  return ERRNO.SUCCESS;
}

/** Resolves when at least one subscription is due, and marks those that are. */
async function wait(guest: Guest, subscriptions: readonly Subscription[]): Promise<void> {
  const startNs = guest.program.clock.monotonicNs();
  const over = new AbortController();
  const waits: Promise<void>[] = [];
  const sleepNs = soonest(subscriptions);
  if (sleepNs !== null) waits.push(sleep(guest, subscriptions, { ns: sleepNs, signal: over.signal }));
  for (const subscription of subscriptions) {
    // A failed input is ready, too: the read that follows will say what is wrong.
    const wake = () => void (subscription.due = true);
    if (subscription.ready !== null) waits.push(subscription.ready.then(wake, wake));
  }
  await Promise.race(waits).finally(() => over.abort());
  guest.idleNs += guest.program.clock.monotonicNs() - startNs;
}

/** The same where the guest cannot be suspended. Its input is complete, so there is nothing but time to wait for. */
function waitBlocking(
  guest: Guest,
  subscriptions: readonly Subscription[],
  block: (ms: number) => void,
): void {
  const ns = soonest(subscriptions);
  if (ns === null) fail(ERRNO.NOTSUP);
  const startNs = guest.program.clock.monotonicNs();
  const ms = (ns + NS_PER_MS - 1n) / NS_PER_MS;
  block(Number(ms));
  markDue(subscriptions, ms * NS_PER_MS);
  guest.idleNs += guest.program.clock.monotonicNs() - startNs;
}

/** How long to wait, nanoseconds; null without a limit. */
function soonest(subscriptions: readonly Subscription[]): bigint | null {
  let soonestNs: bigint | null = null;
  for (const { due, remainingNs } of subscriptions) {
    if (due) return 0n;
    if (remainingNs !== null && (soonestNs === null || remainingNs < soonestNs)) soonestNs = remainingNs;
  }
  return soonestNs;
}

interface Sleep {
  readonly ns: bigint;
  readonly signal: AbortSignal;
}

async function sleep(
  guest: Guest,
  subscriptions: readonly Subscription[],
  { ns, signal }: Sleep,
): Promise<void> {
  let leftMs = (ns + NS_PER_MS - 1n) / NS_PER_MS;
  const sleptNs = leftMs * NS_PER_MS;
  do {
    const ms = leftMs > SLEEP_MAX_MS ? SLEEP_MAX_MS : Number(leftMs);
    await guest.program.clock.sleep(ms, signal);
    // An aborted sleep may end early, when something else has ended the wait.
    if (signal.aborted) return;
    leftMs -= BigInt(ms);
  } while (leftMs > 0n);
  markDue(subscriptions, sleptNs);
}

/** Marks the clocks that are due after that much time. */
function markDue(subscriptions: readonly Subscription[], sleptNs: bigint): void {
  for (const clock of subscriptions) {
    if (clock.remainingNs !== null) clock.due ||= clock.remainingNs <= sleptNs;
  }
}

/** poll_oneoff in one of the two layouts. */
export function pollOneoff(layout: SubscriptionLayout) {
  return (
    guest: Guest,
    input: number,
    output: number,
    count: number,
    out: number,
  ): number | Promise<number> => {
    if (count === 0 || count >>> 0 > SUBSCRIPTIONS_MAX) fail(ERRNO.INVAL);
    // Both lists and the result are checked before anything is waited for.
    guest.memory.bytes(input, count * layout.bytes);
    guest.memory.bytes(output, count * EVENT_BYTES);
    guest.memory.bytes(out, 4);
    const subscriptions: Subscription[] = [];
    for (let index = 0; index < count; index++) {
      subscriptions.push(parse(guest, (input >>> 0) + index * layout.bytes, layout));
    }
    const finish = () => writeEvents(guest, subscriptions, output, out);
    // Input arrives between the turns of the event loop only: who polls it without waiting needs one, too.
    const hasToWait = subscriptions.some(({ ready }) => ready !== null) ||
      !subscriptions.some(({ due }) => due);
    if (!hasToWait) return finish();
    const { block } = guest.program.clock;
    if (block === undefined) return wait(guest, subscriptions).then(finish);
    waitBlocking(guest, subscriptions, block);
    return finish();
  };
}

export const POLL: FunctionTable = { poll_oneoff: pollOneoff(SUBSCRIPTION_OF_PREVIEW1) };
