/** The world of a deterministic run: nothing in it depends on the host, its speed, or when input arrives. */

import { findJspi } from "./jspi.ts";
import type { GuestClock, GuestInput, Program } from "./program.ts";
import { type Seed, SeededRandom } from "./seeded_random.ts";

/** The first 128 bits of the fraction of pi: no numbers that anybody chose. */
const SEED: Seed = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];
/** 2000-01-01T00:00:00Z: late enough for programs that take an early date for a clock that was never set. */
const START_NS = 946_684_800_000_000_000n;
/** How far each reading moves the clock, so that a guest which spins until time has passed comes to an end. */
const STEP_NS = 1000n;
const NS_PER_MS = 1_000_000n;
/** Most bytes of one read: what is put together here, whatever the guest asks for. */
const READ_MAX_BYTES = 1024 * 1024;

/**
 * Clock, randomness and input of a run whose output depends on nothing but its module, arguments, files and
 * the bytes of its input:
 *
 * - The clock starts at 2000-01-01T00:00:00Z and moves 1 us at each reading and by the time slept at each
 *   sleep, which takes one turn of the event loop (`turn`) and no time. The CPU-time clocks follow it.
 * - Random bytes come from one fixed sequence.
 * - Input is always ready, and a read gives as much as was asked for, up to 1 MiB, unless the input ends before.
 *
 * What cannot be made equal: the bits of a NaN that arithmetic gives, relaxed SIMD, and how deep calls may
 * nest. A run that meets a limit of its host, such as its time, is cut off where it stands.
 */
export function deterministicWorld(
  stdin: GuestInput,
  turn: () => Promise<void>,
): Pick<Program, "stdin" | "clock" | "random"> {
  const source = new SeededRandom(SEED);
  return { stdin: wholeReads(stdin), clock: virtualClock(turn), random: (bytes) => source.fill(bytes) };
}

function virtualClock(turn: () => Promise<void>): GuestClock {
  let passedNs = 0n;
  const read = (originNs: bigint) => () => originNs + (passedNs += STEP_NS);
  const block = (ms: number) => void (passedNs += BigInt(ms) * NS_PER_MS);
  return {
    realtimeNs: read(START_NS),
    monotonicNs: read(0n),
    // A real turn, or a guest that only sleeps would keep its host from hearing anything, such as a cancel.
    sleep(ms) {
      block(ms);
      return turn();
    },
    ...(findJspi() === null ? { block } : {}),
  };
}

/** Hides the pieces in which input arrives. Without `ready` it counts as ready. */
function wholeReads(input: GuestInput): GuestInput {
  return {
    read(max) {
      const wanted = Math.min(max, READ_MAX_BYTES);
      const first = input.read(wanted);
      // What comes whole is not copied.
      if (!(first instanceof Promise) && (first.length === 0 || first.length === wanted)) return first;
      return fill(input, new Uint8Array(wanted), first);
    },
  };
}

type Piece = Uint8Array | Promise<Uint8Array>;

/** Reads on until `whole` is full or the input has ended; at once as long as the input answers at once. */
function fill(input: GuestInput, whole: Uint8Array, first: Piece): Piece {
  let filled = 0;
  let piece = first;
  const isLast = (bytes: Uint8Array): boolean => {
    whole.set(bytes, filled);
    filled += bytes.length;
    return bytes.length === 0 || filled === whole.length;
  };
  const wait = async () => {
    while (!isLast(await piece)) piece = input.read(whole.length - filled);
    return whole.subarray(0, filled);
  };
  while (!(piece instanceof Promise)) {
    if (isLast(piece)) return whole.subarray(0, filled);
    piece = input.read(whole.length - filled);
  }
  return wait();
}
