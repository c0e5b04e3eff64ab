/** Tests that a slot can be killed at any time, whatever it or its provider is doing, and that nothing is left. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { WasimoffError } from "../../core/errors.ts";
import { silent } from "../../core/log.ts";
import { SlotPool } from "../../core/provider/slot_pool.ts";
import type { SlotTask } from "../../core/provider/slot.ts";
import { commandModule } from "../support/module_builder.ts";
import { isAlive, openRealSlot, openRealSlots, type RealSlots } from "../support/real_slots.ts";
import { collectingIo, CollectingSink, fileOf, guestTask, StuckSink } from "../support/slot_tasks.ts";
import { deflate, zipOf } from "../core/wasi/zip_bytes.ts";

const never = new AbortController().signal;
const MIB = 1024 * 1024;
/** From the decision to a free CPU. */
const KILL_LIMIT_MS = 50;
/** What a provider may keep after many kills: garbage that nobody has collected yet. */
const GROWTH_MAX_BYTES = 64 * MIB;
const STOPPED = new WasimoffError("canceled", "stop");

/** 2 MB that take some 35 ms, as far as V8 compiles before it is asked to. */
function heavyModule(): Uint8Array<ArrayBuffer> {
  return commandModule({ body: Array(345_000).fill([0x41, 1, 0x41, 2, 0x6a, 0x1a]).flat() });
}

/** 80 MiB, packed to about a hundredth. */
async function heavyZip(): Promise<Uint8Array> {
  const contents = new Uint8Array(8 * MIB);
  for (let at = 0; at < contents.length; at += 400) contents[at] = Math.imul(at, 0x9e3779b1) >>> 19;
  const packed = await deflate(contents);
  return zipOf([..."abcdefghij"].map((name) => ({ name, contents, packed })));
}

interface Moment {
  readonly name: string;
  readonly task: () => SlotTask | Promise<SlotTask>;
  /** When it is killed, from the start of the task on. */
  readonly atMs?: number;
  /** The process is stopped, so that its pipe fills up. */
  readonly frozen?: boolean;
  readonly sink?: CollectingSink;
}

const MOMENTS: readonly Moment[] = [
  {
    name: "while it is sent a file that it does not take",
    task: () => guestTask([], { module: fileOf(new Uint8Array(32 * MIB)) }),
    frozen: true,
  },
  {
    name: "while it is loading a file",
    task: () => guestTask([], { module: { ...fileOf(new Uint8Array()), load } }),
  },
  { name: "while it compiles", task: () => guestTask([], { module: fileOf(heavyModule()) }), atMs: 15 },
  {
    name: "while it unpacks",
    task: async () =>
      guestTask(["loop"], { preopens: [{ guest: "/", zip: fileOf(await heavyZip()), readOnly: false }] }),
  },
  { name: "while its guest runs", task: () => guestTask(["loop"]) },
  {
    name: "while its guest writes and nobody reads",
    task: () => guestTask(["flood"]),
    sink: new StuckSink(),
  },
  {
    name: "while it sends artifacts and nobody reads",
    task: () =>
      guestTask(["write", "big", "x".repeat(60_000)], {
        preopens: [{ guest: "/", zip: null, readOnly: false }],
        artifacts: ["big"],
      }),
    sink: new StuckSink(),
  },
];

function load(): Promise<Uint8Array> {
  return new Promise(() => {});
}

for (const { name, task, atMs = 100, frozen, sink } of MOMENTS) {
  Deno.test(`a slot is killed within 50 ms ${name}`, async () => {
    await using real = await openRealSlot();
    const abort = new AbortController();
    const io = collectingIo();
    const slotTask = await task();
    if (frozen) Deno.kill(real.pid, "SIGSTOP");
    const run = real.slot.run(
      slotTask,
      sink === undefined ? io : { ...io, stdout: sink, artifacts: sink },
      abort.signal,
    );
    await new Promise((resolve) => setTimeout(resolve, atMs));
    const decidedMs = performance.now();
    abort.abort(STOPPED);
    const { outcome } = await run;
    const tookMs = performance.now() - decidedMs;
    deepStrictEqual([outcome.reason, outcome.origin, outcome.message], ["cancelled", "client", "stop"]);
    ok(tookMs < KILL_LIMIT_MS, `took ${tookMs} ms`);
    deepStrictEqual([isAlive(real.pid), real.slot.usable], [false, false]);
  });
}

Deno.test("a provider is where it was after many kills, and keeps no process", async () => {
  await using slots = openRealSlots();
  const pool = await SlotPool.open({ size: 1, start: slots.start, logger: silent });
  try {
    for (let round = 0; round < 3; round++) await killOne(pool);
    const before = Deno.memoryUsage().rss;
    const descriptors = openDescriptors();
    for (let round = 0; round < 12; round++) await killOne(pool);
    await pool.run(guestTask(["exit", "0"]), collectingIo(), never);
    const grown = Deno.memoryUsage().rss - before;
    ok(grown < GROWTH_MAX_BYTES, `grown by ${Math.round(grown / MIB)} MiB`);
    strictEqual(openDescriptors(), descriptors);
    deepStrictEqual(living(slots), [slots.pids.at(-1)]);
  } finally {
    await pool.close();
  }
});

async function killOne(pool: SlotPool): Promise<void> {
  const limits = { memoryBytes: 64 * MIB, outputBytes: 10 * MIB };
  const { outcome } = await pool.run(guestTask(["flood"], { limits }), collectingIo(), never);
  strictEqual(outcome.reason, "limit");
  strictEqual((await pool.run(guestTask(["exit", "6"]), collectingIo(), never)).outcome.status, 6);
}

function openDescriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

function living({ pids }: RealSlots): number[] {
  return pids.filter(isAlive);
}
