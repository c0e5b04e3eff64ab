import assert from "node:assert/strict";
import type { GuestInput } from "../../../core/wasi/program.ts";
import { Collected, runFixture, VirtualClock } from "./guest_fixture.ts";

/** Input that becomes ready when told to, and then gives one byte. `asked` hears of every question. */
function lateInput(readiness: Promise<void>, asked: () => void = () => {}): GuestInput {
  let settled = false;
  readiness.then(() => settled = true);
  return {
    ready() {
      asked();
      return settled || readiness;
    },
    read: () => new Uint8Array(1),
  };
}

Deno.test("poll_oneoff sleeps with the clock of the program and reports what became ready", async () => {
  const stdout = new Collected();
  const clock = new VirtualClock();
  const arrival = Promise.withResolvers<void>();
  let questions = 0;
  // The program asks along with its output, then for 250 ms, then until there is something.
  const stdin = lateInput(arrival.promise, () => {
    questions += 1;
    if (questions === 3) queueMicrotask(arrival.resolve);
  });
  const { ending } = await runFixture("waits", [], { stdout, clock, stdin });
  assert.deepEqual(ending, { kind: "exit", status: 0 });
  assert.deepEqual(clock.sleeps, [1500, 250]);
  assert.deepEqual(stdout.text.split("\n"), [
    "slept 1500000000",
    "realtime 1700000001500000000",
    "resolution 1000",
    // Output is ready at once, input is not.
    "both 1 0 2",
    "input 0 after 250000000",
    "input 1 read 1",
    "random 4 4 4 4",
    "",
  ]);
});

Deno.test("poll_oneoff wakes for input before its time is over and gives the sleep up", async () => {
  const stdout = new Collected();
  const clock = new VirtualClock();
  const signals: AbortSignal[] = [];
  const arrival = Promise.withResolvers<void>();
  clock.sleep = (ms: number, signal?: AbortSignal) => {
    clock.sleeps.push(ms);
    if (ms !== 250) return Promise.resolve();
    signals.push(signal!);
    queueMicrotask(arrival.resolve);
    return new Promise((resolve) => signal!.addEventListener("abort", () => resolve()));
  };
  await runFixture("waits", [], { stdout, clock, stdin: lateInput(arrival.promise) });
  assert.deepEqual(clock.sleeps, [1500, 250]);
  assert.equal(signals[0]!.aborted, true);
  assert.match(stdout.text, /^input 1 after 0$/m);
});

Deno.test("poll_oneoff counts input that cannot be asked as ready", async () => {
  const stdout = new Collected();
  await runFixture("waits", [], { stdout });
  assert.match(stdout.text, /^both 2 1 2$/m);
  assert.match(stdout.text, /^input 1 read 0$/m);
});
