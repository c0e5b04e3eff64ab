/** poll_oneoff: waits for the first of several clocks and descriptors. */

import { ERRNO, EVENT_BYTES, EVENTTYPE, RIGHTS, SUBCLOCK_ABSTIME } from "./abi.ts";
import { clockNs } from "./clock.ts";
import { InputStream, OpenFile } from "./descriptors.ts";
import { fail, WasiFault } from "./fault.ts";
import type { FunctionTable } from "./function_table.ts";
import type { Guest } from "./guest.ts";

/** Most subscriptions of one call: as many as there can be descriptors, read and write, with clocks. */
const SUBSCRIPTIONS_MAX = 4096;
/** Longest single wait, milliseconds: what `setTimeout` can count. After it the guest is told to poll again. */
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
  /** For a clock: how long until it is due, nanoseconds. */
  readonly remainingNs: bigint;
  /** Resolves when a stream is ready; null for everything else. */
  readonly ready: Promise<void> | null;
  due: boolean;
  errno: number;
  bytes: bigint;
}

function parse(guest: Guest, at: number, layout: SubscriptionLayout): Subscription {
  const userdata = guest.memory.u64(at);
  const type = guest.memory.u8(at + 8);
  const plain = { userdata, type, remainingNs: 0n, ready: null, due: true, errno: 0, bytes: 0n };
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

function remaining(guest: Guest, at: number): bigint {
  const now = clockNs(guest, guest.memory.u32(at));
  const timeout = guest.memory.u64(at + 8);
  return (guest.memory.u16(at + 24) & SUBCLOCK_ABSTIME) !== 0 ? timeout - now : timeout;
}

/** Files never block, and writing to a stream blocks in `fd_write` itself; only input can be waited for. */
function readiness(guest: Guest, fd: number, type: number): Pick<Subscription, "ready" | "due" | "bytes"> {
  const descriptor = guest.descriptors.get(fd);
  const reads = type === EVENTTYPE.FD_READ;
  descriptor.require(RIGHTS.POLL_FD_READWRITE);
  descriptor.require(reads ? RIGHTS.FD_READ : RIGHTS.FD_WRITE);
  if (descriptor instanceof OpenFile) {
    const left = Math.max(0, descriptor.inode.size - descriptor.position);
    return { ready: null, due: true, bytes: reads ? BigInt(left) : STREAM_READY_BYTES };
  }
  const ready = reads && descriptor instanceof InputStream ? descriptor.input.ready?.() ?? true : true;
  if (ready === true) return { ready: null, due: true, bytes: STREAM_READY_BYTES };
  // Nobody may come to wait for it, when another subscription is due at once.
  ready.catch(() => {});
  return { ready, due: false, bytes: STREAM_READY_BYTES };
}

function writeEvents(
  guest: Guest,
  subscriptions: readonly Subscription[],
  events: number,
  out: number,
): number {
  let at = events >>> 0;
  let count = 0;
  for (const { userdata, type, due, errno, bytes } of subscriptions) {
    if (!due) continue;
    guest.memory.bytes(at, EVENT_BYTES).fill(0);
    guest.memory.setU64(at, userdata);
    guest.memory.setU16(at + 8, errno);
    guest.memory.setU8(at + 10, type);
    guest.memory.setU64(at + 16, bytes);
    at += EVENT_BYTES;
    count += 1;
  }
  guest.memory.setU32(out, count);
  return ERRNO.SUCCESS;
}

/** Resolves when at least one subscription is due, and marks those that are. */
async function wait(guest: Guest, subscriptions: readonly Subscription[]): Promise<void> {
  const over = new AbortController();
  const waits: Promise<void>[] = [];
  const clocks = subscriptions.filter((subscription) => subscription.type === EVENTTYPE.CLOCK);
  if (clocks.length > 0) waits.push(sleep(guest, clocks, over.signal));
  for (const subscription of subscriptions) {
    // A failed input is ready, too: the read that follows will say what is wrong.
    const wake = () => void (subscription.due = true);
    if (subscription.ready !== null) waits.push(subscription.ready.then(wake, wake));
  }
  await Promise.race(waits).finally(() => over.abort());
}

async function sleep(guest: Guest, clocks: readonly Subscription[], signal: AbortSignal): Promise<void> {
  let soonest = clocks[0]!.remainingNs;
  for (const { remainingNs } of clocks) if (remainingNs < soonest) soonest = remainingNs;
  const wanted = (soonest + NS_PER_MS - 1n) / NS_PER_MS;
  const ms = wanted > SLEEP_MAX_MS ? SLEEP_MAX_MS : Number(wanted);
  await guest.program.clock.sleep(ms, signal);
  // An aborted sleep may end early, when something else has ended the wait.
  if (signal.aborted) return;
  for (const clock of clocks) clock.due ||= clock.remainingNs <= BigInt(ms) * NS_PER_MS;
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
    guest.memory.setU32(out, 0);
    const subscriptions: Subscription[] = [];
    for (let index = 0; index < count; index++) {
      subscriptions.push(parse(guest, (input >>> 0) + index * layout.bytes, layout));
    }
    const finish = () => writeEvents(guest, subscriptions, output, out);
    if (subscriptions.some((subscription) => subscription.due)) return finish();
    return wait(guest, subscriptions).then(finish);
  };
}

export const POLL: FunctionTable = { poll_oneoff: pollOneoff(SUBSCRIPTION_OF_PREVIEW1) };
