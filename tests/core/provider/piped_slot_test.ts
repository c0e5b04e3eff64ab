/** Tests of a slot's outside against processes that lie, stall or die. */

import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { install } from "@sinonjs/fake-timers";
import { WasimoffError } from "../../../core/errors.ts";
import { exited } from "../../../core/outcome.ts";
import { MAX_KEPT_BYTES } from "../../../core/provider/kept_files.ts";
import { MAX_EXTRA_RSS_BYTES, PipedSlot, START_TIMEOUT_MS } from "../../../core/provider/piped_slot.ts";
import { PREPARE_TIMEOUT_MS } from "../../../core/provider/slot_supply.ts";
import type { SlotIo, SlotTask } from "../../../core/provider/slot.ts";
import {
  encodeFrame,
  encodeNumber,
  FRAME,
  MAX_FRAME_BYTES,
  STDIN_WINDOW_BYTES,
} from "../../../core/provider/slot_protocol.ts";
import { ScriptedProcess } from "../../support/scripted_slot.ts";
import { ChunkSource, collectingIo, fileOf, guestTask } from "../../support/slot_tasks.ts";
import { settle } from "../../support/settle.ts";

const never = new AbortController().signal;

function done(rssBytes = 0, keptBytes = 0): string {
  return JSON.stringify({ outcome: exited(0), durationMs: 1, memoryBytes: 65536, rssBytes, keptBytes });
}

/** A slot that is ready. */
async function startSlot() {
  const process = new ScriptedProcess();
  process.say(FRAME.READY);
  const slot = await PipedSlot.start(process);
  const run = (task: SlotTask = guestTask([]), io: SlotIo = collectingIo()) => slot.run(task, io, never);
  return { process, slot, run };
}

Deno.test("PipedSlot.run() kills a slot that does not keep to the protocol", async () => {
  const lies: [string, (process: ScriptedProcess) => void][] = [
    ["unknown frame type 99", (process) => process.sayRaw(new Uint8Array([0, 0, 0, 0, 99]))],
    ["a frame has 4294967295 bytes", (process) => process.sayRaw(new Uint8Array([255, 255, 255, 255, 19]))],
    ["a frame of type 1", (process) => process.say(FRAME.RUN)],
    ["a frame of type 16", (process) => process.say(FRAME.READY)],
    ['it asks for "sha256:00"', (process) => process.say(FRAME.NEED, "sha256:00")],
    ["its end is incomplete", (process) => process.say(FRAME.DONE, "{}")],
    ["a number has 3 bytes", (process) => process.say(FRAME.CREDIT, "abc")],
  ];
  for (const [what, lie] of lies) {
    const { process, slot, run } = await startSlot();
    const io = collectingIo(new ChunkSource([], { open: true }));
    const running = run(guestTask([]), io);
    lie(process);
    await rejects(
      running,
      (error: WasimoffError) => error.code === "internal" && error.message.includes(what),
    );
    deepStrictEqual([process.killed, slot.usable], [true, false], what);
    strictEqual((io.stdout.ending as WasimoffError).code, "internal");
  }
});

Deno.test("PipedSlot.run() sends stdin up to the window and goes on with what is granted", async () => {
  const { process, run } = await startSlot();
  const running = run(
    guestTask([]),
    collectingIo(new ChunkSource([new Uint8Array(STDIN_WINDOW_BYTES + 10)])),
  );
  await settle();
  const sent = () =>
    process.received.reduce((sum, { type, payload }) => type === FRAME.STDIN ? sum + payload.length : sum, 0);
  strictEqual(sent(), STDIN_WINDOW_BYTES);
  process.sayRaw(encodeNumber(FRAME.CREDIT, 4));
  await settle();
  strictEqual(sent(), STDIN_WINDOW_BYTES + 4);
  process.sayRaw(encodeNumber(FRAME.CREDIT, 100));
  await settle();
  strictEqual(sent(), STDIN_WINDOW_BYTES + 10);
  strictEqual(process.heard.at(-1), "STDIN_END");
  process.say(FRAME.DONE, done());
  await running;
});

Deno.test("PipedSlot.run() does not start the guest's time before its files are there", async () => {
  const clock = install();
  try {
    const { process, run } = await startSlot();
    const loaded = Promise.withResolvers<Uint8Array>();
    const module = { ...fileOf(new Uint8Array([1, 2])), load: () => loaded.promise };
    const running = run(guestTask([], { module, limits: { timeoutMs: 1_000 } }));
    process.say(FRAME.NEED, module.ref);
    await clock.tickAsync(60_000); // a slow broker
    loaded.resolve(new Uint8Array([1, 2]));
    await clock.tickAsync(PREPARE_TIMEOUT_MS - 1);
    deepStrictEqual(process.heard, ["RUN", "FILE", "FILE_CHUNK"]);
    process.say(FRAME.STARTED);
    await clock.tickAsync(999);
    strictEqual(process.killed, false);
    await clock.tickAsync(1);
    const { outcome } = await running;
    deepStrictEqual([outcome.reason, outcome.message], [
      "timeout",
      "guest ran longer than its limit: 1000 ms",
    ]);
  } finally {
    clock.uninstall();
  }
});

Deno.test("PipedSlot.run() ends a slot that compiles for ever", async () => {
  const clock = install();
  try {
    const { process, run } = await startSlot();
    const task = guestTask([]);
    const running = run(task);
    process.say(FRAME.NEED, task.module.ref);
    await clock.tickAsync(PREPARE_TIMEOUT_MS);
    const { outcome } = await running;
    strictEqual(outcome.reason, "timeout");
    match(outcome.message, /^preparing the module and its files took longer than/);
  } finally {
    clock.uninstall();
  }
});

Deno.test("PipedSlot.run() leaves the slot alone when nothing has started", async () => {
  const { process, slot, run } = await startSlot();
  const { outcome } = await run(guestTask(["x".repeat(MAX_FRAME_BYTES)]));
  deepStrictEqual([outcome.reason, outcome.status], ["rejected", 125]);
  const reason = new WasimoffError("canceled", "too late");
  const cancelled = await slot.run(guestTask([]), collectingIo(), AbortSignal.abort(reason));
  strictEqual(cancelled.outcome.reason, "cancelled");
  deepStrictEqual([process.heard, process.killed, slot.usable], [[], false, true]);
});

Deno.test("PipedSlot.usable ends when the process has grown too much", async () => {
  const { process, slot, run } = await startSlot();
  const task = guestTask([]);
  const limit = task.limits.memoryBytes + MAX_EXTRA_RSS_BYTES;
  for (const [rssBytes, usable] of [[limit, true], [limit + 1, false]] as const) {
    const running = run(task);
    process.say(FRAME.DONE, done(rssBytes));
    await running;
    strictEqual(slot.usable, usable);
  }
  await rejects(run(), TypeError);
});

Deno.test("PipedSlot.usable does not mind what the slot keeps on purpose, within the bounds of its caches", async () => {
  const { process, slot, run } = await startSlot();
  const limit = guestTask([]).limits.memoryBytes + MAX_EXTRA_RSS_BYTES;
  const cases: [rssBytes: number, keptBytes: number, usable: boolean][] = [
    [limit + 5000, 5000, true],
    [limit + MAX_KEPT_BYTES, 2 * MAX_KEPT_BYTES, true],
    [limit + MAX_KEPT_BYTES + 1, 2 * MAX_KEPT_BYTES, false],
  ];
  for (const [rssBytes, keptBytes, usable] of cases) {
    const running = run();
    process.say(FRAME.DONE, done(rssBytes, keptBytes));
    await running;
    strictEqual(slot.usable, usable);
  }
});

Deno.test("PipedSlot.start() sends what an interpreter is made of, and the slot ends after as many tasks as told", async () => {
  const process = new ScriptedProcess();
  process.say(FRAME.READY);
  const slot = await PipedSlot.start(process, { boot: [new Uint8Array(3), new Uint8Array()], maxTasks: 1 });
  deepStrictEqual(process.heard, ["FILE", "FILE_CHUNK", "FILE"]);
  const ran = slot.run(guestTask([]), collectingIo(), new AbortController().signal);
  process.say(FRAME.DONE, done());
  await ran;
  strictEqual(slot.usable, false);
});

Deno.test("PipedSlot.start() rejects when the process ends, keeps silent or says something else", async () => {
  const dead = new ScriptedProcess();
  dead.exit("exit status 1: out of memory");
  await rejects(PipedSlot.start(dead), { code: "unavailable", cause: "exit status 1: out of memory" });

  const odd = new ScriptedProcess();
  odd.say(FRAME.STDOUT, "hello");
  await rejects(PipedSlot.start(odd), { code: "internal" });
  strictEqual(odd.killed, true);

  const hasty = new ScriptedProcess();
  hasty.sayRaw(new Uint8Array([...encodeFrame(FRAME.READY), 0]));
  await rejects(PipedSlot.start(hasty), /it goes on before its first task/);
  strictEqual(hasty.killed, true);

  const clock = install();
  try {
    const silent = new ScriptedProcess();
    const started = rejects(PipedSlot.start(silent), { code: "unavailable" });
    await clock.tickAsync(START_TIMEOUT_MS);
    await started;
    strictEqual(silent.killed, true);
  } finally {
    clock.uninstall();
  }

  const reason = new WasimoffError("canceled", "stopping");
  const stopped = new ScriptedProcess();
  await rejects(PipedSlot.start(stopped, { signal: AbortSignal.abort(reason) }), reason);
  strictEqual(stopped.killed, true);
});
