/** Tests that a slot keeps nothing of a task that the next one could see. */

import { doesNotMatch, match, strictEqual } from "node:assert/strict";
import type { Slot, SlotTask } from "../../core/provider/slot.ts";
import { browserTest } from "../support/chromium.ts";
import { openRealSlot } from "../support/real_slots.ts";
import { openSlotPage } from "../support/slot_page.ts";
import { ChunkSource, collectingIo, fileOf, guestTask } from "../support/slot_tasks.ts";
import { zipFiles } from "../support/zip_files.ts";

const TRACES = fileOf(Deno.readFileSync(new URL("../testdata/slot/traces.wasm", import.meta.url)));
const ZIP = fileOf(await zipFiles({ "file": "from the zip", "dir/inner": "inner" }));
const SECRET = /secret|trace/;
const never = new AbortController().signal;

function task(parts: Partial<SlotTask> = {}): SlotTask {
  return {
    ...guestTask([]),
    module: TRACES,
    args: ["first"],
    preopens: [{ guest: ".", zip: null, readOnly: false }, { guest: "zipped", zip: ZIP, readOnly: false }],
    deterministic: true,
    ...parts,
  };
}

/** What a task sees of its world, whose input is not read to its end. */
async function seen(slot: Slot, parts?: Partial<SlotTask>): Promise<string> {
  const io = collectingIo(new ChunkSource([new TextEncoder().encode("input, and more of it")]));
  await slot.run(task(parts), io, never);
  return io.stdout.text;
}

/** Tasks with secrets, one that exits and one that traps, each followed by one without. */
async function checkTraces(slot: Slot): Promise<void> {
  const fresh = await seen(slot);
  match(fresh, /^argument first\ndescriptor 0 type 2 flags 0 /);
  match(fresh, /global 1, memory of \d+ pages, then 0 bytes not zero\n/);
  match(fresh, /zipped\/file ino \d+ nlink 1 size 12 mtime \d+ \[from the zip\]\n/);
  match(fresh, /input of 4 \[inpu\]\n$/);
  doesNotMatch(fresh, SECRET);
  for (const args of [["secret"], ["secret", "a", "b"]]) {
    match(await seen(slot, { args, env: ["KEY=secret"] }), /^argument secret\n[^]*environment KEY=secret\n/);
    strictEqual(await seen(slot), fresh);
  }
  strictEqual(slot.usable, true);
}

Deno.test("a slot keeps nothing of a task that the next one could see", async () => {
  await using real = await openRealSlot();
  await checkTraces(real.slot);
});

browserTest("a slot in a browser keeps nothing of a task that the next one could see", async () => {
  await using page = await openSlotPage();
  await checkTraces(await page.startSlot());
});
