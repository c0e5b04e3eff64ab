/** The proof of the cage: hostile modules against a slot, a provider and its broker, and a browser's Worker. */

import { match, ok, strictEqual } from "node:assert/strict";
import type { Outcome } from "../../core/outcome.ts";
import { SlotPool } from "../../core/provider/slot_pool.ts";
import type { SlotIo, SlotTask } from "../../core/provider/slot.ts";
import { silent } from "../../core/log.ts";
import { browserTest } from "../support/chromium.ts";
import { GUEST, HostCluster } from "../support/host_cluster.ts";
import { type HostileTask, hostileTasks } from "../support/hostile_tasks.ts";
import { openRealSlots } from "../support/real_slots.ts";
import { openSlotPage } from "../support/slot_page.ts";
import { collectingIo, CollectingSink, fileOf, guestTask, LIMITS } from "../support/slot_tasks.ts";

const MIB = 1024 * 1024;
/** For what never ends, and for what ends by itself. */
const TIMEOUT_MS = { short: 300, long: 30_000 };
/** What a provider may have grown by when all is over. */
const GROWTH_MAX_BYTES = 64 * MIB;
const never = new AbortController().signal;
const TASKS = await hostileTasks();

function timeoutMs({ reason, limits }: HostileTask): number {
  return limits.timeoutMs ?? (reason === "timeout" ? TIMEOUT_MS.short : TIMEOUT_MS.long);
}

function slotTask(task: HostileTask): SlotTask {
  const { module, args, zip, limits } = task;
  return {
    module: fileOf(module),
    args: ["hostile", ...args],
    env: [],
    preopens: [{ guest: "/", zip: zip && fileOf(zip), readOnly: false }],
    artifacts: [],
    deterministic: false,
    lenientArtifacts: false,
    limits: { ...LIMITS, ...limits, timeoutMs: timeoutMs(task) },
  };
}

function check({ name, reason, status, message }: HostileTask, outcome: Outcome): void {
  strictEqual(`${outcome.reason} ${outcome.status}`, `${reason} ${status}`, `${name}: ${outcome.message}`);
  match(outcome.message, message, name);
}

/** Throws away and counts: guests may write gigabytes. */
class CountingSink extends CollectingSink {
  bytesTaken = 0;

  override write(chunk: Uint8Array): void {
    this.bytesTaken += chunk.length;
  }
}

function countingIo() {
  return {
    stdin: null,
    stdout: new CountingSink(),
    stderr: new CountingSink(),
    artifacts: new CountingSink(),
  };
}

Deno.test("slots hold hostile modules, each ends as it should, and the next task is fine", async (test) => {
  await using slots = openRealSlots();
  const pool = await SlotPool.open({ size: 1, start: slots.start, logger: silent });
  try {
    for (const task of TASKS) {
      await test.step(task.name, async () => {
        const io = countingIo();
        const { outcome } = await pool.run(slotTask(task), io, never);
        check(task, outcome);
        const most = task.limits.outputBytes ?? Infinity;
        ok(io.stdout.bytesTaken + io.stderr.bytesTaken <= most, `${io.stdout.bytesTaken} bytes of output`);
        strictEqual((await pool.run(guestTask(["exit", "3"]), collectingIo(), never)).outcome.status, 3);
      });
    }
  } finally {
    await pool.close();
  }
});

browserTest(
  "a browser's Worker holds hostile modules, each ends as it should, and the next task is fine",
  async () => {
    await using page = await openSlotPage();
    let slot = await page.startSlot();
    const run = async (task: SlotTask, io: SlotIo) => {
      if (!slot.usable) slot = await page.startSlot();
      return await slot.run(task, io, never);
    };
    for (const task of TASKS) {
      if (task.inBrowser === null) continue;
      const { outcome } = await run(slotTask(task), countingIo());
      check({ ...task, ...task.inBrowser }, outcome);
      const next = await run(guestTask(["exit", "3"]), collectingIo());
      strictEqual(next.outcome.status, 3, `after ${task.name}`);
    }
  },
);

Deno.test("a provider outlives hostile modules, and gives back their memory", async (test) => {
  await using cluster = await HostCluster.start();
  await cluster.provider({ taskMemoryBytes: LIMITS.memoryBytes, taskDiskBytes: LIMITS.diskBytes });
  const client = await cluster.client();
  const guest = await cluster.store(GUEST);
  const friendly = async () => {
    const io = { stdout: new CountingSink(), stderr: new CountingSink() };
    strictEqual((await client.run({ module: guest, args: ["g", "exit", "3"] }, io)).outcome.status, 3);
  };
  for (let round = 0; round < 20; round++) await friendly();
  const before = Deno.memoryUsage().rss;
  for (const task of TASKS) {
    await test.step(task.name, async () => {
      const { limits, args, zip } = task;
      const request = {
        module: await cluster.store(task.module),
        args: ["hostile", ...args],
        preopens: [{ guest: "/", ...(zip && { zip: await cluster.store(zip) }) }],
        timeoutMs: timeoutMs(task),
        ...(limits.cpuMs && { cpuMs: limits.cpuMs }),
        ...(limits.outputBytes && { outputBytes: limits.outputBytes }),
      };
      const { outcome, attempts } = await client.run(request, {
        stdout: new CountingSink(),
        stderr: new CountingSink(),
      });
      check(task, outcome);
      strictEqual(attempts, 1);
      await friendly();
    });
  }
  const grown = Deno.memoryUsage().rss - before;
  ok(grown < GROWTH_MAX_BYTES, `grown by ${Math.round(grown / MIB)} MiB`);
});
