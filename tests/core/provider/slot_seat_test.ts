/** Tests of what the pool knows about its slots. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { MODULE_CACHE, TREE_CACHE } from "../../../core/provider/kept_files.ts";
import { SlotSeat } from "../../../core/provider/slot_seat.ts";
import { FakeSlot } from "../../support/fake_slots.ts";
import { fileOf, guestTask } from "../../support/slot_tasks.ts";

/** A task with a module and ZIPs that are told apart by numbers. */
function task(module: number, ...zips: readonly number[]) {
  const preopens = zips.map((zip) => ({
    guest: `${zip}`,
    zip: fileOf(new Uint8Array([zip])),
    readOnly: false,
  }));
  const empty = { guest: "tmp", zip: null, readOnly: false };
  return guestTask([], { module: fileOf(new Uint8Array([module])), preopens: [...preopens, empty] });
}

Deno.test("SlotSeat.fit() prefers all of a task's files to its ZIPs, these to its module, and that to nothing", () => {
  const seat = new SlotSeat(new FakeSlot());
  seat.remember(task(1, 2, 3));
  const fits = [task(1, 2, 3), task(9, 2), task(1, 2, 9), task(9, 9)].map((other) => seat.fit(other));
  deepStrictEqual(fits, fits.toSorted((one, other) => other - one));
  strictEqual(new Set(fits).size, 4);
});

Deno.test("SlotSeat.fit() asks for the module alone where a task has no ZIP", () => {
  const [fresh, used] = [new SlotSeat(new FakeSlot()), new SlotSeat(new FakeSlot())];
  used.remember(task(1, 2));
  strictEqual(used.fit(task(9)), fresh.fit(task(9)));
  strictEqual(used.fit(task(1)) > fresh.fit(task(1)), true);
});

Deno.test("SlotSeat remembers the latest files, as many as a slot keeps", () => {
  const seat = new SlotSeat(new FakeSlot());
  const known = seat.fit(task(0));
  seat.remember(task(0, 0));
  for (let module = 1; module < MODULE_CACHE.maxEntries; module++) seat.remember(task(module));
  strictEqual(seat.fit(task(0)), known + 1);
  seat.remember(task(200));
  strictEqual(seat.fit(task(0)), known);
  for (let zip = 1; zip < TREE_CACHE.maxEntries; zip++) seat.remember(task(200, zip));
  seat.remember(task(200, 0));
  seat.remember(task(200, 100));
  strictEqual(seat.fit(task(200, 0)), known + 1);
  strictEqual(seat.fit(task(200, 1)), 1);
});
