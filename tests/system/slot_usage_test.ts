/** Tests of CPU time, memory and output of real slots, which are limited from outside. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { openUsageReader } from "../../core/host/process_usage.ts";
import { MAX_INODES, type SlotLimits } from "../../core/provider/slot.ts";
import { taskMemory } from "../../core/provider/slot_memory.ts";
import { commandModule, leb } from "../support/module_builder.ts";
import { isAlive, openRealSlot } from "../support/real_slots.ts";
import {
  ChunkSource,
  collectingIo,
  CollectingSink,
  fileOf,
  guestTask,
  LIMITS,
} from "../support/slot_tasks.ts";

const never = new AbortController().signal;
const MIB = 1024 * 1024;
const usage = openUsageReader();
/** CPU time is counted in steps of 10 ms, and looked at every 10 ms near the limit. */
const CPU_OVERSHOOT_MS = 100;
const linux = { ignore: Deno.build.os !== "linux" };

const BOMBS = fileOf(Deno.readFileSync(new URL("../testdata/hostile/bombs.wasm", import.meta.url)));

/** Keeps a chain of arrays of 1 MiB alive in the engine's own heap. */
const HEAP_HOG = fileOf(commandModule({
  types: [
    [0x5e, 0x7e, 1], // 1: array of i64
    [0x5f, 2, 0x63, 2, 0, 0x63, 1, 0], // 2: structure of a reference to 2 and one to 1
    [0x60, 1, 0x63, 2, 0], // 3: function that takes a reference to 2
  ],
  body: [
    ...[0xd0, 2, 0x03, 3], // ref.null 2, loop with it on the stack
    ...[0x41, 0x80, 0x80, 0x08, 0xfb, 7, 1], // array.new_default 1 with 131,072 elements
    ...[0xfb, 0, 2, 0x0c, 0, 0x0b], // struct.new 2, br 0, end
  ],
}));

/** Takes that many pages of linear memory, writes to all of them and loops. */
function fillMemory(pages: number) {
  return fileOf(commandModule({
    body: [
      ...[0x41, ...leb(pages), 0x40, 0, 0x1a], // memory.grow, drop
      ...[0x41, 0, 0x41, 1, 0x41, ...leb(pages * 65_536), 0xfc, 0x0b, 0], // memory.fill
      ...[0x03, 0x40, 0x0c, 0, 0x0b], // loop br 0 end
    ],
  }));
}

Deno.test({
  name: "Slot.run() ends a busy guest at its CPU time, and frees the CPU",
  ...linux,
  async fn() {
    for (const cpuMs of [30, 400]) {
      await using real = await openRealSlot();
      await real.slot.run(guestTask(["exit", "0"]), collectingIo(), never);
      const before = usage(real.pid)!.cpuMs;
      const watched = watch(() => usage(real.pid)?.cpuMs);
      const { outcome } = await real.slot.run(
        guestTask(["loop"], { limits: { cpuMs } }),
        collectingIo(),
        never,
      );
      const used = await watched.stop() - before;
      deepStrictEqual(outcome, {
        reason: "timeout",
        origin: "provider",
        status: 124,
        message: `guest used more CPU time than its limit: ${cpuMs} ms`,
      });
      ok(used >= cpuMs - 30 && used < cpuMs + CPU_OVERSHOOT_MS, `used ${used} ms`);
      strictEqual(isAlive(real.pid), false);
    }
  },
});

Deno.test({
  name: "Slot.run() lets a guest wait longer than its CPU time, but not use more in pieces",
  ...linux,
  async fn() {
    await using real = await openRealSlot();
    const limits = { cpuMs: 150, timeoutMs: 400 };
    const waiting = collectingIo(new ChunkSource([], { open: true }));
    const waited = await real.slot.run(guestTask(["echo"], { limits }), waiting, never);
    strictEqual(waited.outcome.message, "guest ran longer than its limit: 400 ms");

    await using second = await openRealSlot();
    const io = collectingIo(new ChunkSource(endless()));
    const { outcome } = await second.slot.run(
      guestTask(["echo"], { limits: { cpuMs: 150 } }),
      { ...io, stdout: new Forgetful() },
      never,
    );
    match(outcome.message, /more CPU time/);
  },
});

Deno.test({
  name: "Slot.run() ends a guest that fills the engine's own heap",
  ...linux,
  async fn() {
    await using real = await openRealSlot();
    const limits: Partial<SlotLimits> = { memoryBytes: 16 * MIB, diskBytes: 16 * MIB };
    const startBytes = usage(real.pid)!.rssBytes;
    const watched = watch(() => usage(real.pid)?.rssBytes);
    const { outcome } = await real.slot.run(
      guestTask([], { module: HEAP_HOG, limits }),
      collectingIo(),
      never,
    );
    const peak = await watched.stop();
    deepStrictEqual([outcome.reason, outcome.origin, outcome.status], ["memory", "guest", 137]);
    match(outcome.message, /^guest made its process larger than its limits explain: more than [0-9]+ bytes$/);
    const allowed = startBytes + taskMemory({ ...LIMITS, ...limits }, false);
    ok(peak < allowed + 256 * MIB, `${peak / MIB} MiB`);
    strictEqual(isAlive(real.pid), false);
  },
});

Deno.test({
  name: "Slot.run() lets a guest fill its files and its memory to their limits",
  ...linux,
  async fn() {
    await using real = await openRealSlot();
    const limits: Partial<SlotLimits> = { memoryBytes: 256 * MIB, diskBytes: 512 * MIB };
    const preopens = [{ guest: ".", zip: null, readOnly: false }];
    const filled = await real.slot.run(
      guestTask(["file"], { module: BOMBS, preopens, limits }),
      collectingIo(),
      never,
    );
    deepStrictEqual([filled.outcome.reason, filled.outcome.status], ["exit", 0]);
    await using second = await openRealSlot();
    const touched = await second.slot.run(
      guestTask(["touch", `${250 * MIB}`], { limits }),
      collectingIo(),
      never,
    );
    deepStrictEqual([touched.outcome.reason, touched.outcome.status], ["exit", 0]);
  },
});

Deno.test({
  name: "Slot.run() lets a guest have as many files as it may, with something in each",
  ...linux,
  async fn() {
    await using real = await openRealSlot();
    const limits: Partial<SlotLimits> = {
      memoryBytes: MIB,
      // The smallest storage of a file is 512 bytes.
      diskBytes: 512 * MAX_INODES,
      inodes: MAX_INODES,
    };
    const preopens = [{ guest: ".", zip: null, readOnly: false }];
    const task = guestTask(["small"], { module: BOMBS, preopens, limits });
    const { outcome } = await real.slot.run(task, collectingIo(), never);
    deepStrictEqual([outcome.reason, outcome.status, outcome.message], ["exit", 0, ""]);
  },
});

Deno.test({
  name: "Slot.run() calls a sudden death memory when nearly all of it was in use",
  ...linux,
  async fn() {
    for (const [pages, reason, status] of [[500, "trap", 134], [1_000, "memory", 137]] as const) {
      await using real = await openRealSlot();
      const task = guestTask([], { module: fillMemory(pages), limits: { memoryBytes: 64 * MIB } });
      const run = real.slot.run(task, collectingIo(), never);
      await new Promise((resolve) => setTimeout(resolve, 400)); // looked at several times
      Deno.kill(real.pid, "SIGABRT");
      deepStrictEqual((await run).outcome, {
        ...{ reason, origin: "provider", status },
        message: "slot died under the task: signal SIGABRT",
      });
    }
  },
});

Deno.test("Slot.run() delivers output up to its limit exactly, then ends the guest", async () => {
  for (const outputBytes of [1, 65_536, 1_000_001]) {
    await using real = await openRealSlot();
    const io = collectingIo();
    const { outcome } = await real.slot.run(guestTask(["flood"], { limits: { outputBytes } }), io, never);
    deepStrictEqual(outcome, {
      reason: "limit",
      origin: "provider",
      status: 125,
      message: `guest wrote more output than its limit: ${outputBytes} bytes`,
    });
    strictEqual(io.stdout.size + io.stderr.size, outputBytes);
    strictEqual(io.stdout.ending, "end");
    strictEqual(isAlive(real.pid), false);
  }
});

function* endless(): Generator<Uint8Array> {
  for (;;) yield new Uint8Array(65_536);
}

/** Takes everything and keeps nothing. */
class Forgetful extends CollectingSink {
  override write(): void {}
}

/** The highest number until `stop` is called. */
function watch(read: () => number | undefined): { stop(): Promise<number> } {
  let highest = 0;
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      highest = Math.max(highest, read() ?? 0);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  return {
    async stop() {
      stopped = true;
      await watching;
      return highest;
    },
  };
}
