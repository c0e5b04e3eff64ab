/** Tests that the causes of a task's end are told apart, through a real slot. */

import { deepStrictEqual, match } from "node:assert/strict";
import { WasimoffError } from "../../core/errors.ts";
import type { SlotLimits } from "../../core/provider/slot.ts";
import { silent } from "../../core/log.ts";
import { SlotPool } from "../../core/provider/slot_pool.ts";
import {
  EXPORT_MEMORY,
  functionType,
  HEADER,
  leb,
  name,
  section,
  vector,
} from "../support/module_builder.ts";
import { openRealSlots } from "../support/real_slots.ts";
import { collectingIo, fileOf, guestTask } from "../support/slot_tasks.ts";

const PAGES = 16;
const never = new AbortController().signal;

/** A command with a memory, an empty table and a tag; the body is that of `_start`, function 0. */
function program(body: readonly number[]): Uint8Array<ArrayBuffer> {
  const code = [0, ...body, 0x0b];
  return Uint8Array.from([
    ...HEADER,
    ...section(1, vector([functionType([], [])])),
    ...section(3, vector([[0]])),
    ...section(4, vector([[0x70, 0, 1]])),
    ...section(5, vector([[0, 1]])),
    ...section(13, vector([[0, 0]])),
    ...section(7, vector([[...name("_start"), 0, 0], EXPORT_MEMORY])),
    ...section(10, vector([[...leb(code.length), ...code]])),
  ]);
}

const LOOP = [0x03, 0x40, 0x0c, 0, 0x0b];
const INT_MIN = [0x41, 0x80, 0x80, 0x80, 0x80, 0x78];

const CAUSES: readonly [string, readonly number[], Partial<SlotLimits>, string, RegExp][] = [
  ["a normal end", [], {}, "exit guest 0", /^$/],
  ["unreachable", [0x00], {}, "trap guest 134", /^unreachable$/],
  ["a division by zero", [0x41, 1, 0x41, 0, 0x6d, 0x1a], {}, "trap guest 134", /^divide by zero$/],
  ["a division too large", [...INT_MIN, 0x41, 0x7f, 0x6d, 0x1a], {}, "trap guest 134", /^divide result/],
  [
    "memory out of bounds",
    [0x41, 0x7f, 0x28, 2, 0, 0x1a],
    {},
    "trap guest 134",
    /^memory access out of bounds$/,
  ],
  ["a call of nothing", [0x41, 0, 0x11, 0, 0], {}, "trap guest 134", /^null function/],
  ["a call beyond the table", [0x41, 9, 0x11, 0, 0], {}, "trap guest 134", /^table index is out of bounds$/],
  ["deep recursion", [0x10, 0], {}, "trap guest 134", /^stack overflow: the calls of the program/],
  ["an exception", [0x08, 0], {}, "trap guest 134", /^an exception was thrown and not caught$/],
  [
    "a trap at full memory",
    [0x41, PAGES - 1, 0x40, 0, 0x1a, 0x00],
    { memoryBytes: PAGES * 65_536 },
    "memory guest 137",
    /^out of memory: unreachable$/,
  ],
  [
    "an endless loop",
    LOOP,
    { timeoutMs: 150 },
    "timeout provider 124",
    /^guest ran longer than its limit: 150 ms$/,
  ],
  [
    "much CPU time",
    LOOP,
    { cpuMs: 100 },
    "timeout provider 124",
    /^guest used more CPU time than its limit: 100 ms$/,
  ],
];

Deno.test("every cause of an end has its reason, origin, status and message, and the next task is fine", async (test) => {
  await using slots = openRealSlots();
  const pool = await SlotPool.open({ size: 1, start: slots.start, logger: silent });
  try {
    for (const [what, body, limits, ending, message] of CAUSES) {
      await test.step(what, async () => {
        const task = guestTask([], { module: fileOf(program(body)), limits });
        const { outcome } = await pool.run(task, collectingIo(), never);
        deepStrictEqual(`${outcome.reason} ${outcome.origin} ${outcome.status}`, ending, outcome.message);
        match(outcome.message, message);
        const next = await pool.run(guestTask(["exit", "6"]), collectingIo(), never);
        deepStrictEqual([next.outcome.reason, next.outcome.status], ["exit", 6]);
      });
    }
  } finally {
    await pool.close();
  }
});

Deno.test("an abort in the same moment as another end gives one of both, and a whole slot afterwards", async () => {
  await using slots = openRealSlots();
  const pool = await SlotPool.open({ size: 1, start: slots.start, logger: silent });
  try {
    for (let afterMs = 0; afterMs < 20; afterMs++) {
      await pool.run(guestTask(["exit", "0"]), collectingIo(), never); // the slot is there
      const abort = new AbortController();
      const run = pool.run(guestTask(["loop"], { limits: { timeoutMs: 10 } }), collectingIo(), abort.signal);
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      abort.abort(new WasimoffError("canceled", "stop"));
      const { outcome } = await run;
      match(`${outcome.reason} ${outcome.origin}`, /^(timeout provider|cancelled client)$/);
    }
    const next = await pool.run(guestTask(["exit", "6"]), collectingIo(), never);
    deepStrictEqual([next.outcome.reason, next.outcome.status], ["exit", 6]);
  } finally {
    await pool.close();
  }
});
