/** poll_oneoff: waits for the first of several clocks and descriptors. */

import { CLOCKID, ERRNO, EVENT_BYTES, EVENT_HANGUP, EVENTTYPE, RIGHTS, SUBCLOCK_ABSTIME } from "./abi.ts";
import { clockNs } from "./clock.ts";
import { InputStream, OpenFile } from "./descriptors.ts";
import { fail, WasiFault } from "./fault.ts";
import type { FunctionTable } from "./function_table.ts";
import type { Guest } from "./guest.ts";
import { type Waiter, waitForFirst } from "./poll_wait.ts";

/** Most subscriptions of one call: as many as there can be descriptors, read and write, with clocks. */
const SUBSCRIPTIONS_MAX = 4096;
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
interface Subscription extends Waiter {
  readonly userdata: bigint;
  readonly type: number;
  readonly errno: number;
  readonly bytes: bigint;
  /** What the event says of a descriptor besides. */
  readonly flags: number;
}

function parse(guest: Guest, at: number, layout: SubscriptionLayout): Subscription {
  const userdata = guest.memory.u64(at);
  const type = guest.memory.u8(at + 8);
  const plain = { userdata, type, remainingNs: null, input: null, due: true, errno: 0, bytes: 0n, flags: 0 };
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
  const input = descriptor.isReady() ? null : descriptor;
  return { bytes: STREAM_READY_BYTES, input, due: input === null };
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
    const hasToWait = subscriptions.some(({ input }) => input !== null) ||
      !subscriptions.some(({ due }) => due);
    const waiting = hasToWait ? waitForFirst(guest, subscriptions) : undefined;
    return waiting === undefined ? finish() : waiting.then(finish);
  };
}

export const POLL: FunctionTable = { poll_oneoff: pollOneoff(SUBSCRIPTION_OF_PREVIEW1) };
