/** The waiting of poll_oneoff: for the first of several clocks, and for input. */

import { ERRNO } from "./abi.ts";
import type { InputStream } from "./descriptors.ts";
import { fail } from "./fault.ts";
import type { Guest } from "./guest.ts";

/** Longest single sleep, milliseconds: what `setTimeout` can count. */
const SLEEP_MAX_MS = 2 ** 31 - 1;
const NS_PER_MS = 1_000_000n;

/** Something to wait for. */
export interface Waiter {
  /** For a clock: how long until it is due, nanoseconds; null for everything else. */
  readonly remainingNs: bigint | null;
  /** Input that was not ready when it was asked; null for everything else. */
  readonly input: InputStream | null;
  /** Whether it has come. */
  due: boolean;
}

/**
 * Waits until at least one of `waiters` is due, and marks those that are. Where the guest cannot be suspended it
 * returns only then, else it gives a promise.
 */
export function waitForFirst(guest: Guest, waiters: readonly Waiter[]): Promise<void> | undefined {
  const { clock } = guest.program;
  const startNs = clock.monotonicNs();
  const addIdle = () => void (guest.idleNs += clock.monotonicNs() - startNs);
  if (clock.block === undefined) return suspend(guest, waiters).finally(addIdle);
  // Input is complete there, so there is nothing but time to wait for.
  const ms = soonestMs(waiters) ?? fail(ERRNO.NOTSUP);
  clock.block(Number(ms));
  markDue(waiters, ms);
  addIdle();
}

async function suspend(guest: Guest, waiters: readonly Waiter[]): Promise<void> {
  const over = new AbortController();
  const inputs = waiters.filter(({ input }) => input !== null);
  const arrival = Promise.withResolvers<void>();
  for (const { input } of inputs) {
    input!.onReady = () => {
      for (const waiter of inputs) waiter.due ||= waiter.input === input;
      arrival.resolve();
    };
  }
  const waits = [arrival.promise];
  const ms = soonestMs(waiters);
  if (ms !== null) waits.push(sleepUntilDue(guest, waiters, { ms, signal: over.signal }));
  try {
    await Promise.race(waits);
  } finally {
    over.abort();
    for (const { input } of inputs) input!.onReady = null;
  }
}

/** How long to wait, milliseconds rounded up; null without a limit. */
function soonestMs(waiters: readonly Waiter[]): bigint | null {
  let soonestNs: bigint | null = null;
  for (const { due, remainingNs } of waiters) {
    if (due) return 0n;
    if (remainingNs !== null && (soonestNs === null || remainingNs < soonestNs)) soonestNs = remainingNs;
  }
  return soonestNs === null ? null : (soonestNs + NS_PER_MS - 1n) / NS_PER_MS;
}

interface Sleep {
  readonly ms: bigint;
  readonly signal: AbortSignal;
}

async function sleepUntilDue(guest: Guest, waiters: readonly Waiter[], { ms, signal }: Sleep): Promise<void> {
  let leftMs = ms;
  do {
    const pieceMs = leftMs > SLEEP_MAX_MS ? SLEEP_MAX_MS : Number(leftMs);
    await guest.program.clock.sleep(pieceMs, signal);
    // Something else has ended the wait, and the sleep early.
    if (signal.aborted) return;
    leftMs -= BigInt(pieceMs);
  } while (leftMs > 0n);
  markDue(waiters, ms);
}

/** Marks the clocks that are due after that time. */
function markDue(waiters: readonly Waiter[], ms: bigint): void {
  for (const waiter of waiters) {
    if (waiter.remainingNs !== null) waiter.due ||= waiter.remainingNs <= ms * NS_PER_MS;
  }
}
