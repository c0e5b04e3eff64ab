/** Tests of the limits that are enforced from outside, on a fake clock. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { type Clock, install } from "@sinonjs/fake-timers";
import type { Outcome } from "../../../core/outcome.ts";
import type { SlotLimits } from "../../../core/provider/slot.ts";
import type { ProcessUsage } from "../../../core/provider/slot_process.ts";
import { FIRST_LOOK_MS, SlotWatch } from "../../../core/provider/slot_watch.ts";
import { ScriptedProcess } from "../../support/scripted_slot.ts";
import { LIMITS } from "../../support/slot_tasks.ts";

const MIB = 1024 * 1024;

interface Watched {
  readonly watch: SlotWatch;
  readonly outcomes: Outcome[];
  /** When the process was looked at, milliseconds. */
  readonly looks: number[];
  readonly clock: Clock;
}

/** A process whose usage is a function of the time since its start. */
function watching(
  limits: Partial<SlotLimits>,
  usageAt: ((ms: number) => ProcessUsage | null) | null,
  test: (watched: Watched) => void,
): void {
  const clock = install();
  try {
    const [outcomes, looks]: [Outcome[], number[]] = [[], []];
    const startedMs = performance.now();
    const scripted = new ScriptedProcess();
    const process = usageAt === null ? without(scripted) : Object.assign(scripted, {
      usage() {
        const ms = performance.now() - startedMs;
        looks.push(ms);
        return usageAt(ms);
      },
    });
    const watch = new SlotWatch({
      process,
      limits: { ...LIMITS, ...limits },
      maxRssBytes: 100 * MIB,
      onExceeded: (outcome) => outcomes.push(outcome),
    });
    test({ watch, outcomes, looks, clock });
    watch.stop();
    strictEqual(clock.countTimers(), 0);
  } finally {
    clock.uninstall();
  }
}

/** As a Worker of a browser is. */
function without(process: ScriptedProcess) {
  return {
    read: () => process.read(),
    write: (bytes: Uint8Array) => process.write(bytes),
    kill: () => process.kill(),
    exited: process.exited,
  };
}

const idle = (): ProcessUsage => ({ cpuMs: 5_000, rssBytes: MIB });

Deno.test("SlotWatch looks at no task that is short", () => {
  watching({}, idle, ({ watch, looks, clock }) => {
    watch.startGuest();
    clock.tick(FIRST_LOOK_MS - 1);
    deepStrictEqual(looks, []);
    clock.tick(1);
    deepStrictEqual(looks, [FIRST_LOOK_MS]);
  });
});

Deno.test("SlotWatch ends a guest at its time, exactly", () => {
  watching({ timeoutMs: 1_234 }, idle, ({ watch, outcomes, clock }) => {
    watch.startGuest();
    clock.tick(1_233);
    strictEqual(outcomes.length, 0);
    clock.tick(1);
    deepStrictEqual(outcomes, [{
      reason: "timeout",
      origin: "provider",
      status: 124,
      message: "guest ran longer than its limit: 1234 ms",
    }]);
    clock.tick(10_000);
    strictEqual(outcomes.length, 1);
  });
});

Deno.test("SlotWatch ends a guest that used its CPU time, one thread or several, soon after", () => {
  for (const threads of [1, 2, 4]) {
    for (const cpuMs of [10, 100, 1_000, 10_000]) {
      const busy = (ms: number) => ({ cpuMs: 700 + Math.floor(ms * threads / 10) * 10, rssBytes: MIB });
      watching({ cpuMs }, busy, ({ watch, outcomes, clock, looks }) => {
        watch.startGuest();
        while (outcomes.length === 0 && performance.now() < 100_000) clock.tick(1);
        const used = looks.at(-1)! * threads;
        ok(
          used >= cpuMs && used <= cpuMs + 100 + 10 * threads,
          `${used} ms of ${cpuMs} by ${threads} threads`,
        );
        const { reason, message } = outcomes[0]!;
        deepStrictEqual([reason, message], [
          "timeout",
          `guest used more CPU time than its limit: ${cpuMs} ms`,
        ]);
        ok(looks.length < 20 + used / 25, `${looks.length} looks`);
      });
    }
  }
});

Deno.test("SlotWatch lets a guest wait that has CPU time left, and counts none but its own", () => {
  watching({ cpuMs: 100, timeoutMs: 20_000 }, idle, ({ watch, outcomes, clock }) => {
    watch.startGuest();
    clock.tick(19_999);
    strictEqual(outcomes.length, 0);
  });
  let compiling = true;
  const usage = (ms: number) => ({ cpuMs: compiling ? ms : 10_000, rssBytes: MIB });
  watching({ cpuMs: 100 }, usage, ({ watch, outcomes, clock }) => {
    watch.startGuest();
    watch.endGuest();
    watch.startPhase(30_000, () => outcomes[0]!);
    clock.tick(10_000);
    compiling = false;
    watch.startGuest();
    clock.tick(5_000);
    strictEqual(outcomes.length, 0);
  });
});

Deno.test("SlotWatch takes all time for CPU time where the host cannot tell", () => {
  for (const usageAt of [null, () => null]) {
    watching({ cpuMs: 300, timeoutMs: 1_000 }, usageAt, ({ watch, outcomes, clock }) => {
      watch.startGuest();
      clock.tick(299);
      strictEqual(outcomes.length, 0);
      clock.tick(1);
      strictEqual(outcomes[0]!.message, "guest used more CPU time than its limit: 300 ms");
    });
    watching({ cpuMs: 3_000, timeoutMs: 1_000 }, usageAt, ({ watch, outcomes, clock }) => {
      watch.startGuest();
      clock.tick(1_000);
      strictEqual(outcomes[0]!.message, "guest ran longer than its limit: 1000 ms");
    });
  }
});

Deno.test("SlotWatch ends a task whose process has more memory than was allowed, and remembers the peak", () => {
  const growing = (ms: number) => ({ cpuMs: 0, rssBytes: ms * MIB });
  watching({}, growing, ({ watch, outcomes, clock }) => {
    watch.allowMemory(100 * MIB);
    watch.startGuest();
    strictEqual(watch.peakRssBytes, 0);
    clock.tick(200);
    strictEqual(outcomes.length, 0);
    clock.tick(20);
    const { reason, origin, status, message } = outcomes[0]!;
    deepStrictEqual([reason, origin, status], ["memory", "guest", 137]);
    strictEqual(message, "guest made its process larger than its limits explain: more than 209715200 bytes");
    ok(watch.peakRssBytes > 200 * MIB && watch.peakRssBytes <= 220 * MIB);
  });
});

Deno.test("SlotWatch.pause() stops the clock of a phase until resume()", () => {
  watching({}, idle, ({ watch, outcomes, clock }) => {
    const late: Outcome = { reason: "timeout", origin: "provider", status: 124, message: "late" };
    watch.startPhase(1_000, () => late);
    clock.tick(600);
    watch.pause();
    clock.tick(60_000);
    watch.resume();
    clock.tick(399);
    strictEqual(outcomes.length, 0);
    clock.tick(1);
    deepStrictEqual(outcomes, [late]);
  });
});

Deno.test("SlotWatch stays stopped", () => {
  watching({ timeoutMs: 10 }, idle, ({ watch, outcomes, clock }) => {
    watch.startGuest();
    watch.stop();
    watch.resume();
    watch.startPhase(10, () => outcomes[0]!);
    strictEqual(watch.stopped, true);
    clock.tick(1_000);
    strictEqual(outcomes.length, 0);
  });
});
