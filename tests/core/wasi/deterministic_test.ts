import assert from "node:assert/strict";
import fc from "fast-check";
import { deterministicWorld } from "../../../core/wasi/deterministic.ts";
import type { GuestInput } from "../../../core/wasi/program.ts";
import { GuestEnd } from "../../../core/wasi/guest.ts";
import { GuestCalls } from "./guest_calls.ts";
import { Collected, runFixture } from "./guest_fixture.ts";
import { fillMemory, randomCall } from "./random_calls.ts";

const NO_INPUT: GuestInput = { read: () => new Uint8Array(0) };
const YEAR_2000_NS = BigInt(Date.UTC(2000, 0, 1)) * 1_000_000n;

/** Input that comes in pieces; every piece whose number is in `late` comes as a promise. */
function piecewise(pieces: readonly Uint8Array[], late: (index: number) => boolean): GuestInput {
  const queue = [...pieces];
  let index = 0;
  return {
    ready: () => Promise.reject(new Error("nobody should ask")),
    read(max) {
      const first = queue[0] ?? new Uint8Array(0);
      const piece = first.subarray(0, max);
      if (piece.length === first.length) queue.shift();
      else queue[0] = first.subarray(max);
      return late(index++) ? Promise.resolve(piece) : piece;
    },
  };
}

/** Reads with each of `sizes` and then to the end; gives the sizes of what came, and all of it. */
async function readAll(
  input: GuestInput,
  sizes: readonly number[],
): Promise<{ got: number[]; all: number[] }> {
  const got: number[] = [];
  const all: number[] = [];
  for (let index = 0;; index++) {
    const bytes = await input.read(sizes[index] ?? 1000);
    if (bytes.length === 0) return { got, all };
    got.push(bytes.length);
    all.push(...bytes);
  }
}

Deno.test("deterministicWorld() starts its clock in the year 2000 and moves it 1 us at each reading", () => {
  const { clock } = deterministicWorld(NO_INPUT, () => Promise.resolve());
  assert.equal(clock.realtimeNs(), YEAR_2000_NS + 1000n);
  assert.equal(clock.realtimeNs(), YEAR_2000_NS + 2000n);
  assert.equal(clock.monotonicNs(), 3000n);
  assert.equal(clock.realtimeNs(), YEAR_2000_NS + 4000n);
});

Deno.test("deterministicWorld() sleeps for a turn of the event loop, whatever was asked for", async () => {
  let turns = 0;
  const { clock } = deterministicWorld(NO_INPUT, () => {
    turns += 1;
    return Promise.resolve();
  });
  await clock.sleep(3_600_000);
  await clock.sleep(0);
  assert.equal(turns, 2);
  assert.equal(clock.monotonicNs(), 3_600_000_000_000n + 1000n);
});

Deno.test("deterministicWorld() gives the same random bytes to every run", () => {
  for (let run = 0; run < 2; run++) {
    const { random } = deterministicWorld(NO_INPUT, () => Promise.resolve());
    const bytes = new Uint8Array(8);
    random(bytes);
    assert.deepEqual([...bytes], [62, 142, 70, 212, 174, 74, 238, 196]);
    random(bytes);
    assert.deepEqual([...bytes], [11, 114, 219, 211, 247, 30, 65, 182]);
  }
});

Deno.test("deterministicWorld() hides the pieces in which input arrives", async () => {
  const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 12 });
  const sizes = fc.array(fc.integer({ min: 1, max: 80 }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(pieces, sizes, fc.func(fc.boolean()), async (pieces, sizes, late) => {
      const { stdin } = deterministicWorld(piecewise(pieces, late), () => Promise.resolve());
      const { got, all } = await readAll(stdin, sizes);
      const whole = pieces.flatMap((piece) => [...piece]);
      assert.deepEqual(all, whole);
      // Every read but the last gave what was asked for.
      assert.deepEqual(got.slice(0, -1), got.slice(0, -1).map((_, index) => sizes[index] ?? 1000));
      assert.equal(stdin.ready, undefined);
    }),
    { numRuns: 50 },
  );
});

Deno.test("deterministicWorld() answers at once what its input answers at once", () => {
  const pieces = [[1, 2, 3], [4], [5, 6]].map((piece) => Uint8Array.from(piece));
  const { stdin } = deterministicWorld(piecewise(pieces, () => false), () => Promise.resolve());
  assert.deepEqual(stdin.read(5), Uint8Array.of(1, 2, 3, 4, 5));
  assert.deepEqual(stdin.read(5), Uint8Array.of(6));
  assert.deepEqual(stdin.read(5), new Uint8Array(0));
});

Deno.test("deterministicWorld() puts no more than 1 MiB together for one read", async () => {
  const asked: number[] = [];
  const source: GuestInput = {
    read(max) {
      asked.push(max);
      return Promise.resolve(new Uint8Array(Math.min(max, 700_000)));
    },
  };
  const { stdin } = deterministicWorld(source, () => Promise.resolve());
  assert.equal((await stdin.read(2 ** 31 - 1)).length, 1_048_576);
  assert.deepEqual(asked, [1_048_576, 348_576]);
});

Deno.test("deterministicWorld() gives a program the same output however its input arrives", async () => {
  const outputs = new Set<string>();
  const input = Uint8Array.from({ length: 1000 }, (_, index) => index);
  for (const size of [1, 7, 1000]) {
    const pieces = Array.from(
      { length: Math.ceil(1000 / size) },
      (_, index) => input.subarray(index * size, (index + 1) * size),
    );
    const stdout = new Collected();
    const source = piecewise(pieces, (index) => index % 2 === size % 2);
    const world = deterministicWorld(source, () => Promise.resolve());
    assert.deepEqual((await runFixture("waits", [], { ...world, stdout })).ending, {
      kind: "exit",
      status: 0,
    });
    outputs.add(stdout.text);
  }
  assert.equal(outputs.size, 1);
  assert.match([...outputs][0]!, /^slept 15000\d\d000\nrealtime 9466848015000\d\d000\n/);
});

/** What a guest in a deterministic world gets from these calls: every errno, its memory, and what it writes. */
async function answers(calls: readonly Call[], seed: Uint8Array, input: GuestInput): Promise<unknown> {
  const stdout = new Collected();
  const world = deterministicWorld(input, () => Promise.resolve());
  const guest = new GuestCalls({ ...world, stdout });
  fillMemory(guest.bytes, seed);
  const errnos: number[] = [];
  for (const { name, args } of calls) {
    try {
      errnos.push(await guest.call(name, ...args));
    } catch (error) {
      assert(error instanceof GuestEnd);
      break;
    }
  }
  const digest = await crypto.subtle.digest("SHA-256", guest.bytes.slice());
  return { errnos, memory: new Uint8Array(digest), written: stdout.text, ending: guest.guest.ending };
}

type Call = { readonly name: string; readonly args: readonly unknown[] };

/** Calls that random ones would hardly make: reading, polling and asking for the time, with valid arguments. */
const usefulCall: fc.Arbitrary<Call> = fc.constantFrom(
  { name: "fd_read", args: [0, 0, 1, 40] },
  { name: "fd_read", args: [0, 8, 2, 40] },
  { name: "fd_fdstat_set_flags", args: [0, 4] },
  { name: "poll_oneoff", args: [64, 1024, 2, 40] },
  { name: "poll_oneoff", args: [64, 1024, 1, 40] },
  { name: "clock_time_get", args: [2, 0n, 2048] },
  { name: "random_get", args: [2056, 9] },
);

/** The memory that `usefulCall` is about: buffers of 7, 1 and 20 bytes, a clock of 3 ms, and standard input. */
function usefulMemory(): Uint8Array {
  const memory = new Uint8Array(65_536);
  const view = new DataView(memory.buffer);
  [3000, 7, 3010, 1, 3020, 20].forEach((value, index) => view.setUint32(index * 4, value, true));
  view.setUint32(64 + 16, 1, true);
  view.setBigUint64(64 + 24, 3_000_000n, true);
  view.setUint8(64 + 48 + 8, 1);
  return memory;
}

Deno.test("deterministicWorld() answers all calls alike however input arrives", async () => {
  const calls = fc.array(fc.oneof({ weight: 4, arbitrary: usefulCall }, randomCall), { maxLength: 30 });
  const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 9 }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(calls, pieces, fc.func(fc.boolean()), async (calls, pieces, late) => {
      const whole = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
      const memory = usefulMemory();
      const expected = await answers(calls, memory, piecewise(whole.length > 0 ? [whole] : [], () => false));
      assert.deepEqual(await answers(calls, memory, piecewise(pieces, late)), expected);
    }),
    { numRuns: 60 },
  );
});
