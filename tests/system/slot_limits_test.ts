/** Tests of guests that do not end, do not read or take too much, in real slot processes. */

import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { WasimoffError } from "../../core/errors.ts";
import { MAX_KEPT_MEMORY_BYTES } from "../../core/provider/piped_slot.ts";
import { STDIN_WINDOW_BYTES } from "../../core/provider/slot_protocol.ts";
import { isAlive, openRealSlot } from "../support/real_slots.ts";
import { ChunkSource, collectingIo, guestTask, StuckSink } from "../support/slot_tasks.ts";

const never = new AbortController().signal;
const MIB = 1024 * 1024;
/** From the cause to a free CPU. */
const KILL_LIMIT_MS = 50;

function* endless(): Generator<Uint8Array> {
  for (;;) yield new Uint8Array(10_000);
}

Deno.test("Slot.run() ends a busy loop at its limit and frees the CPU", async () => {
  await using real = await openRealSlot();
  await real.slot.run(guestTask(["exit", "0"]), collectingIo(), never); // the module is there now
  const io = collectingIo(new ChunkSource([], { open: true }));
  const startedMs = performance.now();
  const { outcome } = await real.slot.run(guestTask(["loop"], { limits: { timeoutMs: 200 } }), io, never);
  const tookMs = performance.now() - startedMs;
  deepStrictEqual([outcome.reason, outcome.origin, outcome.status], ["timeout", "provider", 124]);
  ok(tookMs >= 199 && tookMs < 200 + KILL_LIMIT_MS, `took ${tookMs} ms`);
  strictEqual(isAlive(real.pid), false);
  strictEqual(real.slot.usable, false);
  strictEqual(io.stdout.text, "looping\n");
  strictEqual(io.stdout.ending, "end");
});

Deno.test("Slot.run() ends a busy loop and a sleeper within 50 ms of the abort", async () => {
  for (const mode of ["loop", "sleep"]) {
    await using real = await openRealSlot();
    await real.slot.run(guestTask(["exit", "0"]), collectingIo(), never);
    const abort = new AbortController();
    const run = real.slot.run(guestTask([mode]), collectingIo(), abort.signal);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const abortedMs = performance.now();
    abort.abort(new WasimoffError("canceled", "somebody pressed Ctrl-C"));
    const { outcome } = await run;
    const tookMs = performance.now() - abortedMs;
    deepStrictEqual(outcome, {
      reason: "cancelled",
      origin: "client",
      status: 143,
      message: "somebody pressed Ctrl-C",
    });
    ok(tookMs < KILL_LIMIT_MS, `took ${tookMs} ms`);
    strictEqual(isAlive(real.pid), false);
  }
});

Deno.test("Slot.run() reports an abort for a deadline as timeout", async () => {
  await using real = await openRealSlot();
  const abort = new AbortController();
  const io = collectingIo();
  const run = real.slot.run(guestTask(["loop"]), io, abort.signal);
  await io.stdout.first.promise;
  abort.abort(new WasimoffError("deadline_exceeded", "deadline has passed"));
  const { outcome } = await run;
  deepStrictEqual([outcome.reason, outcome.status, outcome.message], ["timeout", 124, "deadline has passed"]);
});

Deno.test("Slot.run() takes no more stdin than the window from a guest that does not read", async () => {
  await using real = await openRealSlot();
  const busy = new ChunkSource(endless());
  const { outcome } = await real.slot.run(
    guestTask(["loop"], { limits: { timeoutMs: 300 } }),
    collectingIo(busy),
    never,
  );
  strictEqual(outcome.reason, "timeout");
  ok(busy.taken <= STDIN_WINDOW_BYTES + 10_000, `took ${busy.taken} bytes`);
  match(busy.cancelled!.message, /the guest has ended/);
});

Deno.test("Slot.run() serves the next task after a guest that left its stdin unread", async () => {
  await using real = await openRealSlot();
  for (let round = 0; round < 20; round++) {
    const io = collectingIo(new ChunkSource(endless()));
    strictEqual((await real.slot.run(guestTask(["exit", "3"]), io, never)).outcome.status, 3);
  }
  const io = collectingIo(new ChunkSource([new TextEncoder().encode("mine alone")]));
  await real.slot.run(guestTask(["echo"]), io, never);
  strictEqual(io.stdout.text, "mine alone");
});

Deno.test("Slot.run() holds a guest that writes while nobody reads, in bounded memory", async () => {
  await using real = await openRealSlot();
  const stdout = new StuckSink();
  const task = guestTask(["flood"], { limits: { timeoutMs: 400 } });
  const { outcome } = await real.slot.run(task, { ...collectingIo(), stdout }, never);
  strictEqual(outcome.reason, "timeout");
  strictEqual(stdout.chunks.length, 1);
  ok(stdout.size <= 65536, `got ${stdout.size} bytes`);
});

Deno.test("Slot.run() tells of a process that is killed from outside, and aborts its outputs", async () => {
  await using real = await openRealSlot();
  const io = collectingIo();
  const run = real.slot.run(guestTask(["loop"]), io, never);
  await io.stdout.first.promise;
  Deno.kill(real.pid, "SIGKILL");
  deepStrictEqual((await run).outcome, {
    reason: "trap",
    origin: "provider",
    status: 134,
    message: "slot died under the task: signal SIGKILL",
  });
  strictEqual(real.slot.usable, false);
  strictEqual((io.stdout.ending as WasimoffError).code, "aborted");
  await real.slot.ended;
});

Deno.test("Slot.run() kills the slot when stdin breaks and rejects with the cause", async () => {
  await using real = await openRealSlot();
  const cause = new WasimoffError("unavailable", "client has gone");
  const stdin = { read: () => Promise.reject(cause), cancel() {} };
  await rejects(real.slot.run(guestTask(["echo"]), collectingIo(stdin), never), cause);
  strictEqual(isAlive(real.pid), false);
});

Deno.test("Slot.usable ends after a task with much memory, and memory beyond the limit is refused", async () => {
  await using real = await openRealSlot();
  const limits = { memoryBytes: MAX_KEPT_MEMORY_BYTES + 64 * MIB };
  const touch = (bytes: number) => guestTask(["touch", `${bytes}`], { limits });
  const small = await real.slot.run(touch(MIB), collectingIo(), never);
  deepStrictEqual([small.outcome.status, real.slot.usable], [0, true]);
  const refused = await real.slot.run(touch(limits.memoryBytes), collectingIo(), never);
  deepStrictEqual([refused.outcome.status, real.slot.usable], [4, true]); // malloc gave null
  const large = await real.slot.run(touch(MAX_KEPT_MEMORY_BYTES), collectingIo(), never);
  deepStrictEqual([large.outcome.status, real.slot.usable], [0, false]);
  ok(large.memoryBytes > MAX_KEPT_MEMORY_BYTES);
});

Deno.test("a slot survives the signals of the terminal and ends with its pipe", async () => {
  await using real = await openRealSlot();
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.kill(real.pid, signal);
  strictEqual((await real.slot.run(guestTask(["exit", "2"]), collectingIo(), never)).outcome.status, 2);
});
